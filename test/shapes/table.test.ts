/** The table of shapes through one engine, and through both in turns. */
import { describe, expect, test } from 'vitest'
import {
  CORRUPT,
  DONE,
  ENTRY_TOO_LARGE,
  FULL,
  NO_LIMIT,
  NOT_ADDED,
  PUT_ALWAYS,
  RESULT_STATUS,
  type Engine,
} from '../../src/engine/engine.js'
import { formatRegion, openEngine } from '../../src/engine/open.js'
import {
  HEADER_SHAPE_CHILDREN,
  HEADER_SHAPE_COUNT,
  HEADER_SHAPE_LIMIT,
  HEADER_SHAPE_MUTEX,
  HEADER_SHAPE_REFUSALS,
  VALUE_BYTES,
  VALUE_LATIN1,
} from '../../src/format/layout.js'
import type { CacheSettings } from '../../src/format/cache-settings.js'
import { Random } from '../support/random.js'
import { lineups, seed } from '../support/run.js'

const MIB = 2 ** 20

/** Names of every kind; no two are the same. */
const NAMES = [
  '',
  'id',
  '__proto__',
  'constructor',
  '0',
  '4294967294',
  'na\xefve',
  '\u0100',
  'a\u20ac',
  '\ud800',
  '\udc00\ud800',
  '\u{1f600}',
  'i',
  'd',
  'i\0',
  'a'.repeat(256),
  '\u0100'.repeat(128),
]

/** Two engines of a lineup over one new region. */
function openTwo(engineOf: (i: number) => string, bytes = MIB, cache?: CacheSettings): [Engine, Engine] {
  const region = new SharedArrayBuffer(bytes)
  formatRegion(region, cache)
  const [one, other] = [0, 1].map((i) => openEngine(region, engineOf(i) as 'native' | 'typescript'))
  return [one, other]
}

function expectSound(...engines: Engine[]): void {
  for (const engine of engines) expect(engine.verify()).toEqual([])
}

describe.each(lineups)('$name', ({ engineOf }) => {
  test('a shape is read as it was added, by every engine, whatever its name', () => {
    const [one, other] = openTwo(engineOf)
    const ids = NAMES.map((name) => one.addShape(0, name))
    expect(ids).toEqual(NAMES.map((_, i) => i + 1))
    const nested = NAMES.map((name, i) => other.addShape(ids[i], name))
    for (const engine of [one, other]) {
      for (const [i, name] of NAMES.entries()) {
        expect(engine.readShape(ids[i])).toEqual({ parent: 0, name })
        expect(engine.readShape(nested[i])).toEqual({ parent: ids[i], name })
        expect(engine.addShape(0, name)).toBe(ids[i])
        expect(engine.addShape(ids[i], name)).toBe(nested[i])
      }
    }
    expect(one.words[HEADER_SHAPE_COUNT]).toBe(2 * NAMES.length)
    expectSound(one, other)
  })

  test('there are no other shapes', () => {
    const [one, other] = openTwo(engineOf)
    for (const id of [0, 1, 2 ** 31, 2 ** 32 - 1]) expect(one.readShape(id)).toBeUndefined()
    expect(one.addShape(1, 'a')).toBe(CORRUPT)
    one.addShape(0, 'a')
    for (const engine of [one, other]) {
      for (const id of [0, 2, 63, 64, 65, 16_384, 16_385, 2 ** 31]) expect(engine.readShape(id)).toBeUndefined()
      expect(engine.addShape(2, 'a')).toBe(CORRUPT)
      expect(engine.addShape(2 ** 31, 'a')).toBe(CORRUPT)
    }
    expectSound(one, other)
  })

  test('a name that is too long is refused, and leaves nothing', () => {
    const [one, other] = openTwo(engineOf)
    for (const engine of [one, other]) {
      for (const name of ['a'.repeat(257), '\u0100'.repeat(129), `${'a'.repeat(128)}\u0100`, 'a'.repeat(2 * MIB)]) {
        expect(engine.addShape(0, name)).toBe(ENTRY_TOO_LARGE)
      }
    }
    expect(one.words[HEADER_SHAPE_COUNT]).toBe(0)
    expectSound(one, other)
  })

  test('a shape has a bounded number of children, and those that are there stay', () => {
    const [one, other] = openTwo(engineOf)
    const most = one.words[HEADER_SHAPE_CHILDREN]
    for (let i = 0; i < most; i++) expect([one, other][i % 2].addShape(0, `name${i}`)).toBe(i + 1)
    expect(one.addShape(0, 'one more')).toBe(FULL)
    expect(other.addShape(0, 'one more')).toBe(FULL)
    expect(one.words[HEADER_SHAPE_REFUSALS]).toBe(2)
    expect(other.addShape(0, 'name7')).toBe(8)
    expect(one.addShape(1, 'one more')).toBe(most + 1)
    expectSound(one, other)
  })

  test.each([1, 4])(
    'a table of %i MiB fills up to its limit, whatever the names, and then gives what it has',
    (mib) => {
      const [one, other] = openTwo(engineOf, mib * MIB)
      const random = new Random(seed)
      const limit = one.words[HEADER_SHAPE_LIMIT]
      expect(limit).toBe(256 * mib)
      const known = new Map<string, number>()
      const parents = [0]
      for (let i = 0; known.size < limit; i++) {
        const parent = random.pick(parents)
        const name = `${'n'.repeat(random.below(8))}${random.below(50)}`
        const id = random.pick([one, other]).addShape(parent, name)
        const key = `${parent} ${name}`
        if (known.has(key)) expect(id).toBe(known.get(key))
        else if (id !== FULL) {
          expect(id).toBe(known.size + 1)
          known.set(key, id)
          parents.push(id)
        }
      }
      expect(other.addShape(limit, 'one more')).toBe(FULL)
      for (const [key, id] of known) {
        const [parent, name] = key.split(' ')
        expect(one.readShape(id)).toEqual({ parent: Number(parent), name })
        expect(other.addShape(Number(parent), name)).toBe(id)
      }
      expectSound(one, other)
    },
  )

  test('long names fill the table before its limit, and nothing goes wrong', () => {
    const [one, other] = openTwo(engineOf)
    let last = 0
    let id: number
    for (let i = 0; (id = [one, other][i % 2].addShape(last, String(i).padStart(256, 'x'))) > 0; i++) last = id
    expect(id).toBe(FULL)
    expect(last).toBeGreaterThan(10)
    expect(last).toBeLessThan(64)
    expect(other.readShape(last)?.parent).toBe(last - 1)
    expect(one.addShape(last, 'short')).toBe(FULL)
    expectSound(one, other)
  })

  test('result and scratch stay as they are', () => {
    const [one, other] = openTwo(engineOf)
    for (const engine of [one, other]) {
      engine.put('key', VALUE_LATIN1, 'value', PUT_ALWAYS)
      engine.get('key')
      const before = [...engine.result]
      engine.scratch.set([1, 2, 3])
      for (let i = 0; i < 100; i++) engine.addShape(0, `${engine.kind}${i % 10}`)
      engine.addShape(77, 'a')
      engine.readShape(1)
      engine.readShape(1000)
      expect([...engine.result]).toEqual(before)
      expect([...engine.scratch.subarray(0, 3)]).toEqual([1, 2, 3])
    }
  })

  test('clear keeps the shapes', () => {
    const [one, other] = openTwo(engineOf)
    one.addShape(0, 'a')
    other.put('key', VALUE_LATIN1, 'value', PUT_ALWAYS)
    one.clear(0, NO_LIMIT)
    expect(other.readShape(1)).toEqual({ parent: 0, name: 'a' })
    expect(other.addShape(0, 'a')).toBe(1)
    expectSound(one, other)
  })

  test('a full cache evicts for shapes, except while a key is held', () => {
    const [one, other] = openTwo(engineOf, MIB, { ttl: undefined, maxEntries: undefined })
    const value = 5000
    for (let i = 0; i < 400; i++) one.put(`key${i}`, VALUE_BYTES, value, PUT_ALWAYS)
    one.hold('key1')
    // There may be a block of that size by chance.
    expect(one.addShape(0, 'a')).toBeGreaterThanOrEqual(NOT_ADDED)
    one.letGo()
    expectSound(one, other)
    let last = one.addShape(0, 'a')
    expect(last).toBe(1)
    for (let i = 1; i < 200; i++) last = [one, other][i % 2].addShape(last, `b${i % 7}`)
    expect(last).toBe(200)
    one.put('more', VALUE_BYTES, value, PUT_ALWAYS)
    expect(one.result[RESULT_STATUS]).toBe(DONE)
    expectSound(one, other)
  })

  test('a map full of deletions and holes gives way to shapes', () => {
    const [one, other] = openTwo(engineOf)
    let count = 0
    do one.put(`key${count++}`, VALUE_BYTES, 100, PUT_ALWAYS)
    while (one.result[RESULT_STATUS] === DONE)
    for (let i = 0; i < count; i += 2) other.remove(`key${i}`, PUT_ALWAYS)
    let last = 0
    for (let i = 0; i < 200; i++) last = [one, other][i % 2].addShape(last, `b${i % 7}`)
    expect(last).toBe(200)
    expectSound(one, other)
  })

  test('a map without any room adds no shape, says that it may another time, and does once there is room', () => {
    const [one, other] = openTwo(engineOf)
    for (const bytes of [60_000, 4000, 1000, 100, 8]) {
      for (let i = 0; i < 10_000; i++) {
        one.put(`${bytes} ${i}`, VALUE_BYTES, bytes, PUT_ALWAYS)
        if (one.result[RESULT_STATUS] < 0) break
      }
    }
    expect(one.addShape(0, 'a')).toBe(NOT_ADDED)
    expect(other.addShape(0, 'a')).toBe(NOT_ADDED)
    expectSound(one, other)
    one.clear(0, NO_LIMIT)
    expect(one.addShape(0, 'a')).toBe(1)
    expectSound(one, other)
  })

  test('who cannot have the mutex soon adds nothing, and still finds what is there', () => {
    const [one, other] = openTwo(engineOf)
    one.addShape(0, 'a')
    one.words[HEADER_SHAPE_MUTEX] = one.mark
    expect(other.addShape(0, 'b')).toBe(NOT_ADDED)
    expect(other.addShape(0, 'a')).toBe(1)
    expect(other.readShape(1)).toEqual({ parent: 0, name: 'a' })
    one.words[HEADER_SHAPE_MUTEX] = 0
    expect(other.addShape(0, 'b')).toBe(2)
    expectSound(one, other)
  })
})

test('a region has a table by its size', () => {
  const limits = [1, 2, 3, 16, 63, 64, 100].map((mib) => {
    const region = new SharedArrayBuffer(mib * MIB)
    formatRegion(region)
    const words = new Int32Array(region)
    return [words[HEADER_SHAPE_LIMIT], words[HEADER_SHAPE_CHILDREN]]
  })
  expect(limits).toEqual([
    [256, 32],
    [512, 32],
    [512, 32],
    [4096, 64],
    [8192, 128],
    [16_384, 256],
    [16_384, 256],
  ])
})
