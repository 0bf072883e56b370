import { expect, test } from 'vitest'
import { HEADER_SECRET_0 } from '../../src/format/layout.js'
import { ConcurrentMap, type Key, type ScanOptions, type ScanResult } from '../../src/index.js'
import { hasherOf } from '../support/chosen-keys.js'
import { Random } from '../support/random.js'
import { seed } from '../support/run.js'
import { describeEachLineup } from '../support/subject.js'

const COUNT = 5000

describeEachLineup(
  (subject) => {
    function fill(count = COUNT): Map<Key, unknown> {
      const model = new Map<Key, unknown>()
      for (let i = 0; i < count; i++) model.set(i % 2 === 0 ? i : `key-${i}`, i)
      for (const [key, value] of model) subject().map.set(key, value)
      return model
    }

    /** Every entry of a scan, each step through another engine if there are two. */
    function scanAll(options?: ScanOptions, between?: () => void): [Key, unknown][] {
      const met: [Key, unknown][] = []
      let cursor: number | undefined
      do {
        const result: ReturnType<ConcurrentMap<Key, unknown>['scan']> = subject().map.scan(cursor, options)
        met.push(...result.entries)
        // What a scan goes on from survives being written down.
        cursor = JSON.parse(JSON.stringify([result.cursor ?? null])) as never
        cursor = (cursor as unknown as [number | null])[0] ?? undefined
        between?.()
      } while (cursor !== undefined)
      return met
    }

    test('an empty map ends at once', () => {
      expect(subject().map.scan()).toEqual({ cursor: undefined, entries: [] })
      expect(subject().map.scan(0)).toEqual({ cursor: undefined, entries: [] })
    })

    test.each([1, 7, 256, 4999, 5000, 2 ** 20])(
      '%i at a time, every entry is met once, in the order of all walks',
      (count) => {
        const model = fill()
        const met = scanAll({ count })
        expect(met).toHaveLength(COUNT)
        expect(new Map(met)).toEqual(model)
        // Two keys with one hash, which some runs have, may come in either order.
        const walked = [...subject().map]
        const others = met.filter(([key], i) => !Object.is(key, walked[i][0]))
        expect(others.length).toBeLessThanOrEqual(6)
      },
    )

    test('a step returns about as many as were asked for', () => {
      fill()
      for (const count of [1, 10, 1000]) {
        const { entries } = subject().map.scan(undefined, { count })
        expect(entries.length).toBeGreaterThanOrEqual(count)
        expect(entries.length).toBeLessThan(count + 10)
      }
      expect(subject().map.scan().entries.length).toBeGreaterThanOrEqual(256)
    })

    test.each([2, 3, 64, 4096])('the parts of %i are disjoint and together everything', (parts) => {
      const model = fill()
      const met: [Key, unknown][] = []
      const sizes: number[] = []
      for (let part = 0; part < parts; part++) {
        const entries = parts > 1000 ? [...subject().map.scan(0, { part, parts }).entries] : scanAll({ part, parts })
        sizes.push(entries.length)
        met.push(...entries)
      }
      expect(met).toHaveLength(COUNT)
      expect(new Map(met)).toEqual(model)
      if (parts < 10) for (const size of sizes) expect(size).toBeGreaterThan(COUNT / parts / 2)
    })

    test('keys there throughout are met once while the map grows and shrinks between the steps', () => {
      const model = fill()
      let added = 0
      const met = scanAll({ count: 100 }, () => {
        for (let i = 0; i < 400; i++) subject().map.set(`new-${added++}`, 0)
        for (let i = 0; i < 100; i++) subject().map.delete(`new-${added - i * 3}`)
      }).filter(([key]) => model.has(key))
      expect(met).toHaveLength(COUNT)
      expect(new Map(met)).toEqual(model)
    })

    test('deleting what was met empties the map', () => {
      fill()
      let cursor: number | undefined
      do {
        const result: ReturnType<ConcurrentMap<Key, unknown>['scan']> = subject().map.scan(cursor, { count: 50 })
        for (const [key] of result.entries) expect(subject().map.delete(key)).toBe(true)
        cursor = result.cursor
      } while (cursor !== undefined)
      expect(subject().map.size).toBe(0)
    })

    test('a cursor tells nothing about the hash that it stands for', () => {
      fill()
      const secret = new Int32Array(subject().map.handle.region!).subarray(HEADER_SECRET_0, HEADER_SECRET_0 + 2)
      const hash = hasherOf([secret[0], secret[1]])
      let cursor = subject().map.scan(undefined, { count: 1 }).cursor
      let inOrder = 0
      const seen: number[] = []
      while (cursor !== undefined) {
        seen.push(cursor)
        const { cursor: next, entries }: ScanResult<Key, unknown> = subject().map.scan(cursor, { count: 1 })
        const bits = hash(entries[0][0]) >>> 0
        expect([bits, bits + 1, bits * 2 ** 20, bits * 2 ** 20 + 1]).not.toContain(cursor)
        if (next !== undefined && next > cursor) inOrder++
        cursor = next
      }
      // Positions grow from step to step; cursors grow in half of them.
      expect(Math.abs(inOrder / seen.length - 0.5)).toBeLessThan(0.1)
      expect(Math.min(...seen)).toBeGreaterThan(0)
      expect(Math.max(...seen)).toBeLessThanOrEqual(2 ** 52)
    })

    test('a cursor means the same to all, as long as the map is there, and however it grows', () => {
      fill(200)
      const { cursor } = subject().map.scan(undefined, { count: 50 })
      const rest = subject()
        .map.scan(cursor, { count: 1000 })
        .entries.map(([key]) => key)
      fill()
      const later = new Set(
        subject()
          .map.scan(cursor, { count: 10_000 })
          .entries.map(([key]) => key),
      )
      for (const key of rest) expect(later.has(key)).toBe(true)
      const again = subject().attach(subject().map.handle)
      expect(new Set(again.scan(cursor, { count: 10_000 }).entries.map(([key]) => key))).toEqual(later)
      again.close()
    })

    test('invented cursors, and those of another map or part, are refused', () => {
      fill(1000)
      const { map } = subject()
      const { cursor } = map.scan(undefined, { count: 10 })
      const refused = (given: number, options?: ScanOptions): Error =>
        subject().expectRefused('ERR_MAPSAFE_OPTIONS', (each) => each.scan(given, options))
      const random = new Random(seed)
      // One in a million passes.
      const invented = Array.from({ length: 30 }, () => 1 + random.below(2 ** 32) * 2 ** 20 + random.below(2 ** 20))
      for (const given of [1, 2, cursor! + 1, cursor! - 1, 2 ** 52, ...invented]) {
        expect(refused(given).message).toMatch(/^Argument cursor is \d+; expected/)
      }
      for (const options of [{ parts: 2 }, { part: 1, parts: 2 }, { parts: 3 }]) refused(cursor!, options)
      const other = new ConcurrentMap<Key, unknown>({ maxBytes: 2 ** 20 })
      for (let i = 0; i < 100; i++) other.set(i, i)
      refused(other.scan(undefined, { count: 10 }).cursor!)
      other.close()
    })

    test('wrong cursors and options are refused', () => {
      fill(100)
      const refuse = (cursor: unknown, options?: unknown): Error =>
        subject().expectRefused('ERR_MAPSAFE_OPTIONS', (map) => map.scan(cursor as number, options as ScanOptions))
      for (const cursor of [-1, 0.5, NaN, 2 ** 32, 2 ** 52 + 1, Infinity])
        expect(refuse(cursor)).toBeInstanceOf(RangeError)
      for (const cursor of ['0', null, {}, 1n]) expect(refuse(cursor)).toBeInstanceOf(TypeError)
      for (const options of [null, 5, [], { limit: 5 }, { count: '5' }]) {
        expect(refuse(undefined, options)).toBeInstanceOf(TypeError)
      }
      for (const options of [
        { count: 0 },
        { count: 2 ** 20 + 1 },
        { part: 1 },
        { part: -1, parts: 2 },
        { part: 2, parts: 2 },
        { parts: 0 },
        { parts: 65_537 },
      ]) {
        expect(refuse(undefined, options)).toBeInstanceOf(RangeError)
      }
      refuse(1, { part: 1, parts: 2 })
      refuse(2 ** 31, { part: 0, parts: 2 })
    })
  },
  { maxBytes: 32 * 2 ** 20 },
)
