import { describe, expect, test } from 'vitest'
import {
  ConcurrentCache,
  ConcurrentMap,
  DELETE,
  type DeleteMarker,
  type DetailedScanResult,
  type Key,
  type MapEntry,
} from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'
import { describeEachLineup } from '../support/subject.js'
import { storableValues } from '../support/values.js'

const TTL = 1_000_000
const SLACK = 60_000

describeEachLineup((subject) => {
  test('every way to look at entries tells the same, with values of every kind', () => {
    const values = Object.entries(storableValues()).filter(([name]) => !/long|sparse|mebibyte|many/.test(name))
    for (const [name, value] of values) subject().map.set(name, value)
    // Counters whose sum lies in the one cell and in the other.
    for (let i = 1; i < 4; i++) for (let n = 0; n < i; n++) subject().map.increment(`counter ${i}`, 5)
    const keys = [...values.map(([name]) => name), ...[1, 2, 3].map((i) => `counter ${i}`)]
    for (const map of subject().maps) {
      const expected = keys.map((key) => map.getEntry(key))
      expect(expected).not.toContain(undefined)
      expect(map.getEntries([...keys, 'absent'])).toEqual([...expected, undefined])
      expect(map.getEntries(keys.values())).toEqual(expected)
      expect(keys.map((key) => map.peekEntry(key))).toEqual(expected)
      expect(keys.map((key) => map.peek(key))).toEqual(expected.map((entry) => entry!.value))
      expect(map.hasMany(['absent', ...keys, 'absent'])).toEqual([false, ...keys.map(() => true), false])
      const scanned = new Map<Key, MapEntry<unknown>>()
      for (let cursor: number | undefined = 0; cursor !== undefined;) {
        const result: DetailedScanResult<Key, unknown> = map.scan(cursor, { count: 7, details: true })
        for (const [key, entry] of result.entries) scanned.set(key, entry)
        cursor = result.cursor
      }
      expect(keys.map((key) => scanned.get(key))).toEqual(expected)
      const copied = new Map(map.snapshot().details())
      expect(keys.map((key) => copied.get(key))).toEqual(expected)
      expect([scanned.size, copied.size]).toEqual([keys.length, keys.length])
      expect(map.scan(0, { details: false }).entries).toEqual(map.scan(0).entries)
    }
  })

  test('of nothing there is nothing', () => {
    const { map } = subject()
    expect(map.peek('absent')).toBeUndefined()
    expect(map.peekEntry('absent')).toBeUndefined()
    expect([map.hasMany([]), map.getEntries([]), [...map.snapshot().details()]]).toEqual([[], [], []])
    map.set('undefined', undefined)
    expect(map.hasMany(['undefined'])).toEqual([true])
    expect(map.getEntries(['undefined'])).toEqual([map.getEntry('undefined')])
  })

  test('a batch that deletes says which, if asked', () => {
    const keys = Array.from({ length: 300 }, (_, i) => i)
    subject().map.setMany(keys.map((key) => [key, { key }]))
    const given = [-1, 0, 0, 1, -2, 299]
    expect(subject().map.deleteMany(given, { which: true })).toEqual([false, true, false, true, false, true])
    expect(subject().map.size).toBe(297)
    expect(subject().map.deleteMany([2, 3, -1], { which: false })).toBe(2)
    expect(subject().map.deleteMany([4, 5, -1], {})).toBe(2)
    expect(subject().map.deleteMany([], { which: true })).toEqual([])
    const refused = subject().expectRefused('ERR_MAPSAFE_KEY_TYPE', (map) => {
      return map.deleteMany([6, Symbol('s') as never], { which: true })
    })
    expect(refused).not.toHaveProperty('completed')
  })

  test('an update may delete', () => {
    const countDown = (value: unknown): number | DeleteMarker => {
      const left = ((value as number | undefined) ?? 3) - 1
      return left > 0 ? left : DELETE
    }
    for (const left of [2, 1, undefined, 2]) expect(subject().map.update('key', countDown)).toBe(left)
    expect(subject().map.update('key', () => DELETE)).toBeUndefined()
    for (const map of subject().maps) {
      expect(map.has('key')).toBe(false)
      expect(map.update('key', () => DELETE)).toBeUndefined()
    }
    expect(subject().map.size).toBe(0)
    subject().map.set('undefined', undefined)
    expect(subject().map.update('undefined', () => DELETE)).toBeUndefined()
    expect(subject().map.has('undefined')).toBe(false)
    // It is no value.
    subject().expectRefused('ERR_MAPSAFE_VALUE_TYPE', (map) => map.set('key', DELETE))
  })
})

test('an update that lost its races deletes while it holds the key', () => {
  for (const engine of ['native', 'typescript'] as const) {
    using map = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20, engine, nearCache: false })
    using other = ConcurrentMap.attach<string, number>(map.handle, { engine })
    map.set('key', 0)
    let calls = 0
    const outcome = map.update('key', () => {
      // As another thread would, whose writes this one's decision does not refuse.
      if (calls++ < 16) storeOf(other).open().increment('key', 1)
      return DELETE
    })
    expect([outcome, calls, map.has('key')]).toEqual([undefined, 17, false])
    expect(map.verify().problems).toEqual([])
    map.set('key', 5)
    expect(map.get('key')).toBe(5)
  }
})

describe.each(nearAndFarLineups)('in a cache, $name', (lineup) => {
  function open(maxEntries?: number): ConcurrentCache<Key, unknown>[] {
    const options = { maxBytes: 2 ** 20, engine: lineup.engineOf(0), maxEntries, ...lineup.attach }
    const first = new ConcurrentCache<Key, unknown>(options)
    return [first, ConcurrentCache.attach(first.handle, { ...lineup.attach, engine: lineup.engineOf(1) })]
  }

  test('every way to look tells when entries expire, and finds none that has expired', () => {
    const caches = open()
    const clock = new Clock(caches[0].handle)
    const expiresAt = Math.floor(clock.now()) + TTL
    caches[0].set('given', { a: 1 }, { expiresAt }).set('ever', 1)
    caches[0].increment('counted', 1, { expiresAt })
    caches[1].increment('counted', 1)
    caches[1].increment('counting for ever', 1)
    const snapshots = caches.map((cache) => cache.snapshot())
    const expected = { given: expiresAt, ever: undefined, counted: expiresAt, 'counting for ever': undefined }
    const keys = Object.keys(expected)
    for (const [i, cache] of caches.entries()) {
      const ways: Record<string, (MapEntry<unknown> | undefined)[]> = {
        getEntry: keys.map((key) => cache.getEntry(key)),
        getEntries: cache.getEntries(keys),
        peekEntry: keys.map((key) => cache.peekEntry(key)),
        scan: keys.map((key) => new Map(cache.scan(0, { details: true }).entries).get(key)),
        snapshot: keys.map((key) => new Map(snapshots[i].details()).get(key)),
      }
      for (const [way, entries] of Object.entries(ways)) {
        expect(
          entries.map((entry) => entry!.expiresAt),
          way,
        ).toEqual(Object.values(expected))
      }
    }
    clock.advance(TTL + SLACK)
    for (const cache of caches) {
      expect(cache.hasMany(keys)).toEqual([false, true, false, true])
      expect(cache.getEntries(keys).map((entry) => entry !== undefined)).toEqual([false, true, false, true])
      expect(keys.map((key) => cache.peek(key))).toEqual([undefined, 1, undefined, 1])
      expect(cache.deleteMany(['given', 'counted'], { which: true })).toEqual([false, false])
      expect(cache.scan(0, { details: true }).entries).toHaveLength(2)
      expect([...cache.snapshot().details()]).toHaveLength(2)
      cache.close()
    }
    // They are as they were, although the cache is closed.
    for (const snapshot of snapshots) {
      expect(Object.fromEntries(keys.map((key) => [key, new Map(snapshot.details()).get(key)!.expiresAt]))).toEqual(
        expected,
      )
    }
  })

  test('a peek is no use: it delays no eviction', () => {
    const kept = (use: (cache: ConcurrentCache<Key, unknown>, key: Key) => unknown): number => {
      const caches = open(1000)
      for (let i = 0; i < 1000; i++) caches[0].set(i, i)
      for (let round = 0; round < 4; round++) {
        for (let i = 0; i < 100; i++) use(caches[1], i)
        for (let i = 0; i < 300; i++) caches[0].set(`new ${round} ${i}`, i)
      }
      const left = caches[0].hasMany(Array.from({ length: 100 }, (_, i) => i)).filter(Boolean).length
      for (const cache of caches) cache.close()
      return left
    }
    expect(kept((cache, key) => cache.peek(key))).toBe(kept(() => 0))
    expect(kept((cache, key) => cache.peekEntry(key))).toBe(kept(() => 0))
    expect(kept((cache, key) => cache.getEntries([key]))).toBeGreaterThan(kept(() => 0))
  })

  test('an update that deletes leaves a lease alone', async () => {
    const [cache, other] = open()
    const loading = cache.getOrLoad('key', async () => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      return 'loaded'
    })
    expect(other.update('key', () => DELETE)).toBeUndefined()
    expect(await loading).toBe('loaded')
    expect(other.get('key')).toBe('loaded')
    cache.close()
    other.close()
  })
})
