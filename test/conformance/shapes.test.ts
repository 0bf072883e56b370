/** Values whose property names are in the map's table of shapes, in every way into a map and out of it. */
import { deepStrictEqual } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import { HEADER_SHAPE_COUNT } from '../../src/format/layout.js'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { findPlace } from '../../src/public/handle.js'
import { GeneratedValues } from '../support/generated-values.js'
import { lineups, scaled, seed } from '../support/run.js'
import { expectSound } from '../support/sound.js'

const WHOLE = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity }

/** As deepStrictEqual, and in the same order; but up to Node.js 20 that takes an invalid Date to be unlike itself. */
function expectSame(copy: unknown, expected: unknown): void {
  if (isDeepStrictEqual(expected, structuredClone(expected))) deepStrictEqual(copy, expected)
  expect(inspect(copy, WHOLE)).toBe(inspect(expected, WHOLE))
}

function shapesOf(map: ConcurrentMap<never, never> | ConcurrentMap<string, unknown>): number {
  return new Int32Array(findPlace(map.handle).region as SharedArrayBuffer)[HEADER_SHAPE_COUNT]
}

const row = (n: number): object => ({ id: n, name: `row ${n}`, tags: ['a', { deep: n }], at: new Date(n) })

describe.each(lineups)('values by shapes ($name)', (lineup) => {
  const near = { engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 }
  const far = { engine: lineup.engineOf(1), nearCache: false } as const

  test('generated values come back as structuredClone would copy them', () => {
    using map = new ConcurrentMap<string, unknown>(near)
    using other = ConcurrentMap.attach<string, unknown>(map.handle, far)
    using open = ConcurrentMap.attach<string, unknown>(map.handle, { ...far, freeze: false })
    const values = new GeneratedValues(seed)
    for (let i = 0; i < scaled(7000); i++) {
      const value = values.next()
      const expected: unknown = structuredClone(value)
      const key = `key ${i % 64}`
      const [writer, reader] = i % 2 === 0 ? [map, other] : [other, map]
      writer.set(key, value)
      try {
        for (const from of [reader, writer, open]) expectSame(from.get(key), expected)
      } catch (error) {
        throw new Error(`value ${i} of seed ${seed}`, { cause: error })
      }
    }
    expect(shapesOf(map)).toBeGreaterThan(50)
    expectSound(map)
  })

  test('a snapshot has the names of shapes that its thread has never met, also when the map is closed', async () => {
    const map = new ConcurrentMap<string, unknown>(near)
    const other = ConcurrentMap.attach<string, unknown>(map.handle, far)
    for (let i = 0; i < 10; i++) other.set(`key ${i}`, row(i))
    const snapshots = [map.snapshot(), await map.snapshotAsync()]
    expect(shapesOf(map)).toBe(5)
    map.close()
    other.close()
    for (const snapshot of snapshots) {
      expect(snapshot.size).toBe(10)
      for (const [key, value] of snapshot) expect(value).toEqual(row(Number(key.slice(4))))
    }
  })

  test('every call that stores or returns a value knows them', async () => {
    using map = new ConcurrentCache<string, object>(near)
    using other = ConcurrentCache.attach<string, object>(map.handle, far)
    other.setMany(Array.from({ length: 10 }, (_, i) => [`many ${i}`, row(i)] as const))
    expect(map.getMany(['many 8', 'many 9', 'none'])).toEqual([row(8), row(9), undefined])
    expect(map.swap('many 8', row(1))).toEqual(row(8))
    expect(other.take('many 8')).toEqual(row(1))
    expect(map.getOrInsert('inserted', row(2))).toEqual(row(2))
    expect(other.getOrInsert('inserted', row(3))).toEqual(row(2))
    expect(map.update('inserted', (value) => ({ ...row(4), was: value }))).toEqual({ ...row(4), was: row(2) })
    expect(other.getEntry('inserted')?.value).toEqual({ ...row(4), was: row(2) })
    const loads = [map, other].map((each) =>
      each.getOrLoad('loaded', () => Promise.resolve({ ...row(6), map: new Map([[1, row(7)]]) })),
    )
    for (const value of await Promise.all(loads)) expect(value).toEqual({ ...row(6), map: new Map([[1, row(7)]]) })
    expect([...other.entries()].filter(([key]) => key === 'many 9')).toEqual([['many 9', row(9)]])
    expectSound(map)
  })

  test('a table that is full costs no write', () => {
    using map = new ConcurrentMap<string, unknown>({ ...near, maxBytes: 2 ** 20 })
    using other = ConcurrentMap.attach<string, unknown>(map.handle, far)
    const wide = (n: number): object => ({ [`first ${n % 40}`]: 1, [`second ${n}`]: { n, [`third ${n}`]: 'x' } })
    for (let n = 0; n < 600; n++) {
      for (let again = 0; again < 3; again++) (n % 2 === 0 ? map : other).set(`key ${n % 100}`, wide(n))
      for (const reader of [map, other]) expect(reader.get(`key ${n % 100}`)).toEqual(wide(n))
    }
    expect(shapesOf(map)).toBeLessThanOrEqual(256)
    expect(shapesOf(map)).toBeGreaterThan(100)
    expectSound(map)
  })

  test('objects with ids as names add nothing', () => {
    using map = new ConcurrentMap<string, unknown>(near)
    for (let n = 0; n < 1000; n++) {
      const value = { [`user-${n}`]: { n }, [n]: n }
      map.set('key', value)
      expect(map.get('key')).toEqual(value)
    }
    expect(shapesOf(map)).toBe(1)
  })
})
