/** What figures, checks and repairs say of the table of shapes. */
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { HEADER_SHAPE_CHILDREN, HEADER_SHAPE_CHUNKS } from '../../src/format/layout.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { walkRegion } from '../support/region-walk.js'
import { lineups } from '../support/run.js'
import { expectSound } from '../support/sound.js'

type AnyMap = ConcurrentMap<Key, unknown>

const MIB = 2 ** 20
const add = (map: AnyMap, parent: number, name: string): number => storeOf(map).open().addShape(parent, name)
const namesOf = (map: AnyMap) => map.health().verdicts.find(({ name }) => name === 'changingNames')!

describe.each(lineups)('$name', ({ engineOf }) => {
  const makers: [string, (maxBytes: number) => AnyMap][] = [
    ['map', (maxBytes) => new ConcurrentMap({ maxBytes, engine: engineOf(0) })],
    ['cache', (maxBytes) => new ConcurrentCache({ maxBytes, engine: engineOf(1) })],
  ]

  test.each(makers)('memory, census and repair of a %s know the table', (_, make) => {
    using map = make(MIB)
    expect(map.stats().shapes).toEqual({ used: 0, limit: 256, share: 0, refused: 0 })
    let last = 0
    for (let i = 0; i < 200; i++) last = add(map, last, `name${i}`)
    for (let i = 0; i < 300; i++) map.set(i, 'v'.repeat(i))
    const words = new Int32Array(map.handle.region!)
    const walked = walkRegion(words)
    expect(walked.memory.shapes).toBe(8192)
    expect(map.stats().memory).toEqual(walked.memory)
    expect(map.stats().shapes).toMatchObject({ used: 200, limit: 256 })
    const { figures, ok } = map.health().verdicts.find(({ name }) => name === 'lostMemory')!
    expect(ok).toBe(true)
    expect(figures.bytesReached).toBe(
      walked.memory.entries + walked.memory.index + walked.memory.eviction + walked.memory.shapes,
    )
    expect(map.repair()).toMatchObject({ hasLookedForLeaks: true, blocksFreed: 0 })
    expect(storeOf(map).open().readShape(200)).toEqual({ parent: 199, name: 'name199' })
    expectSound(map)
    using seen = openInspection(map.handle)
    expect(seen.stats().memory).toEqual(map.stats().memory)
    expect(seen.stats().shapes).toEqual(map.stats().shapes)
    expect(seen.verify()).toEqual({ ok: true, problems: [] })
  })

  test.each(makers)('a %s whose values have few names is well', (_, make) => {
    using map = make(16 * MIB)
    for (let type = 0; type < 20; type++) {
      let last = add(map, 0, `id${type}`)
      for (let i = 0; i < 12; i++) last = add(map, last, `field${i}`)
    }
    expect(namesOf(map)).toMatchObject({ ok: true, advice: undefined, figures: { mostChildren: 20, refused: 0 } })
    expect(namesOf(map).value).toBeLessThan(0.4)
  })

  test.each(makers)('a %s whose values have ever-changing first names is told of', (_, make) => {
    using map = make(16 * MIB)
    const allowed = new Int32Array(map.handle.region!)[HEADER_SHAPE_CHILDREN]
    for (let i = 0; i < allowed + 10; i++) add(map, 0, `user:${i}`)
    const verdict = namesOf(map)
    expect(verdict).toMatchObject({
      ...{ ok: false, value: 1, threshold: 0.9 },
      figures: { mostChildren: allowed, childrenAllowed: allowed, refused: 10 },
    })
    expect(verdict.advice).toContain('dictionaries')
    expect(map.health().ok).toBe(false)
    // Nor do they take all of the table.
    expect(map.stats().shapes.share).toBeLessThan(0.1)
    expect(map.stats().shapes.refused).toBe(10)
  })

  test.each(makers)('a %s whose table is full, of names or of records, is told of', (_, make) => {
    for (const length of [2, 200]) {
      using map = make(MIB)
      let last = 0
      for (let id = 0; (id = add(map, last, String(id).padStart(length, 'n'))) > 0;) last = id
      expect(map.stats().shapes.share).toBeGreaterThan(0.95)
      expect(map.stats().shapes.share).toBeLessThanOrEqual(1)
      expect(namesOf(map).ok).toBe(false)
      map.set('key', { a: 1, ['b'.repeat(length)]: 2 })
      expect(map.get('key')).toEqual({ a: 1, ['b'.repeat(length)]: 2 })
      expectSound(map)
    }
  })
})

test('a chunk that nothing leads to is lost memory, and comes back with a repair', () => {
  using map: AnyMap = new ConcurrentMap<Key, unknown>({ maxBytes: MIB })
  add(map, 0, 'name')
  const words = new Int32Array(map.handle.region!)
  words[HEADER_SHAPE_CHUNKS] = 0
  expect(map.verify().ok).toBe(false)
  expect(map.health().verdicts.find(({ name }) => name === 'lostMemory')).toMatchObject({ ok: false, value: 2048 })
})
