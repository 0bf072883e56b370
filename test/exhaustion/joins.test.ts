import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { HASH_END, RESULT_HOME, RESULT_HOME_VERSION } from '../../src/engine/engine.js'
import {
  BLOCK_WORDS,
  HEADER_DEPARTURES,
  HEADER_GONE_SEGMENTS,
  HEADER_LEAVING_SEGMENTS,
  HEADER_PAGES_IN_USE,
} from '../../src/format/layout.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled, seed, type Lineup } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import * as tasks from './joins.tasks.js'

const MAX_BYTES = 8 * 2 ** 20
/** What an empty map may use, with free blocks in the list of a thread. */
const FEW_PAGES = 80
const crew = new Crew<typeof tasks>(new URL('joins.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

type Subject = ConcurrentMap<Key, unknown>

function create(lineup: Lineup, isCache: boolean, maxBytes = MAX_BYTES): Subject {
  const options = { maxBytes, engine: lineup.engineOf(0) }
  return isCache ? new ConcurrentCache<Key, unknown>(options) : new ConcurrentMap<Key, unknown>(options)
}

const wordsOf = (map: Subject): Int32Array => storeOf(map).open().words

/** Inserts large values, until a map is full or some of a cache's were evicted; returns how many there are. */
function fillWithLarge(map: Subject, value: unknown = 'v'.repeat(30_000)): number {
  try {
    for (let i = 0; i < MAX_BYTES / 10_000; i++) map.set(`large ${i}`, value)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
  }
  return map.size
}

function sweep(map: Subject): void {
  const engine = storeOf(map).open()
  for (let hash = 0; hash < HASH_END;) hash = engine.sweep(hash, 1_000_000)
}

describe.each(lineups)('a map that held much more ($name)', (lineup) => {
  test.each([
    ['map', false],
    ['cache', true],
  ])('is as good as new after clear(): a %s', (_, isCache) => {
    using fresh = create(lineup, isCache)
    const most = fillWithLarge(fresh)
    using map = create(lineup, isCache)
    for (let i = 0; i < 50_000; i++) map.set(i, 'small')
    expect(map.stats().segments).toBeGreaterThan(80)
    map.clear()
    const { segments, memory } = map.stats()
    expect(segments).toBe(1)
    expect(memory.index + memory.eviction + memory.spare).toBeLessThan(FEW_PAGES * 4096)
    expectSound(map)
    expect(fillWithLarge(map)).toBeGreaterThanOrEqual(Math.floor(most * 0.95))
    expectSound(map)
  })

  test('is so in slices, too: clearAsync()', async () => {
    using map = create(lineup, true)
    for (let i = 0; i < 50_000; i++) map.set(i, 'small')
    await map.clearAsync()
    expect(map.stats().segments).toBe(1)
    expect(wordsOf(map)[HEADER_PAGES_IN_USE]).toBeLessThan(FEW_PAGES)
    expectSound(map)
  })

  test('joins what is nearly empty when a write finds no memory', () => {
    using map = create(lineup, false, MAX_BYTES / 4)
    let count = 0
    try {
      for (; ; count++) map.set(count, 'small')
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_MAPSAFE_FULL' })
    }
    const { segments } = map.stats()
    for (let i = 0; i < count; i++) if (i % 1000 !== 0) map.delete(i)
    fillWithLarge(map)
    expect(map.stats().segments).toBeLessThan(segments / 4)
    for (let i = 0; i < count; i += 1000) expect(map.get(i)).toBe('small')
    expectSound(map)
  })

  test('gives nothing back that another thread may still look at', () => {
    using map = create(lineup, false)
    using other = ConcurrentMap.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(1), nearCache: false })
    const words = wordsOf(map)
    other.get('nothing')
    for (let i = 0; i < 20_000; i++) map.set(i, 'small')
    map.clear()
    expect(words[HEADER_GONE_SEGMENTS] | words[HEADER_LEAVING_SEGMENTS]).not.toBe(0)
    const pages = words[HEADER_PAGES_IN_USE]
    expectSound(map)
    other.get('nothing')
    map.clear()
    expect(words[HEADER_GONE_SEGMENTS] | words[HEADER_LEAVING_SEGMENTS]).toBe(0)
    expect(words[HEADER_PAGES_IN_USE]).toBeLessThan(pages - 20)
    expectSound(map)
  })

  test('near-caches do not take what now lies in the place of a bucket for it', () => {
    using map = create(lineup, false)
    const engine = storeOf(map).open()
    const keys = Array.from({ length: 2000 }, (_, i) => `key ${i * 10}`)
    for (let i = 0; i < 20_000; i++) map.set(`key ${i}`, 'small')
    const homes = keys.map((key) => {
      map.get(key)
      map.get(key)
      engine.get(key)
      return [engine.result[RESULT_HOME] * BLOCK_WORDS, engine.result[RESULT_HOME_VERSION]] as const
    })
    map.clear()
    const words = wordsOf(map)
    expect(words[HEADER_DEPARTURES]).toBeGreaterThan(0)
    // What anybody may write: values that look like the buckets that were here.
    fillWithLarge(map, new Uint8Array(30_000))
    let overwritten = 0
    for (const [home, version] of homes) {
      if (words[home] !== 0 || words[home + 1] !== 0) continue
      words[home] = version
      overwritten++
    }
    expect(overwritten).toBeGreaterThan(100)
    for (const key of keys) expect(map.get(key), key).toBeUndefined()
  })

  test('no version comes back across joins', () => {
    using map = create(lineup, false)
    const versions = new Map<number, number>()
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5000; i++) {
        map.set(i, round)
        const version = map.getEntry(i)!.version
        expect(version).toBeGreaterThan(versions.get(i) ?? 0)
        versions.set(i, version)
      }
      for (let i = 0; i < 5000; i++) if (i % 100 !== 0) map.delete(i)
      sweep(map)
      sweep(map)
      for (let i = 0; i < 5000; i += 100)
        expect(map.getEntry(i)).toMatchObject({ value: round, version: versions.get(i) })
    }
    expect(map.stats().segments).toBeLessThan(5)
    expectSound(map)
  })

  test('while segments split and join, all are found, walked once, and in every snapshot', async () => {
    using map = crew.open<Key, unknown>(lineup, { maxBytes: MAX_BYTES })
    for (let i = 0; i < tasks.STAYING; i++) map.set(`stays ${i}`, i)
    const run = { lineup, handle: map.handle, workers: 4 }
    const faults = await crew.run(run, 'lookWhileSegmentsJoin', scaled(8))
    expect(faults.flat(), `MAPSAFE_SEED=${seed}`).toEqual([])
    expectSound(map)
  })
})
