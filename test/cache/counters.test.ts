import { describe, expect, test } from 'vitest'
import { ConcurrentCache, type ConcurrentMap, type Counters } from '../../src/index.js'
import { addToCounter, readCounter } from '../../src/format/counters.js'
import { SLOTS_PER_BUCKET, THREAD_COUNTERS } from '../../src/format/layout.js'
import { Clock } from '../support/clock.js'
import { neighbouringKeys } from '../support/neighbouring-keys.js'
import { lineups } from '../support/run.js'

describe.each(lineups)('$name', (lineup) => {
  /** What `act` adds to the counters. */
  function countedBy(cache: ConcurrentMap<string, unknown>, act: () => unknown): Partial<Counters> {
    const before = cache.stats().counters
    act()
    const after = cache.stats().counters
    const changed = Object.entries(after).filter(([name, count]) => count !== before[name as keyof Counters])
    return Object.fromEntries(changed.map(([name, count]) => [name, count - before[name as keyof Counters]]))
  }

  test('reads are counted by who answers them', () => {
    using cache = new ConcurrentCache<string, unknown>({ engine: lineup.engineOf(0) })
    using other = ConcurrentCache.attach<string, unknown>(cache.handle, {
      engine: lineup.engineOf(1),
      nearCache: false,
    })
    cache.set('key', { a: 1 })
    expect(countedBy(cache, () => cache.get('key'))).toEqual({ hits: 1, nearMisses: 1 })
    expect(countedBy(cache, () => cache.get('key'))).toEqual({ hits: 1, nearHits: 1 })
    // That a key is absent is remembered once it was read twice.
    expect(countedBy(cache, () => cache.get('none'))).toEqual({ misses: 1, nearMisses: 1 })
    expect(countedBy(cache, () => cache.get('none'))).toEqual({ misses: 1, nearMisses: 1 })
    expect(countedBy(cache, () => cache.get('none'))).toEqual({ misses: 1, nearHits: 1 })
    expect(countedBy(other, () => other.get('key'))).toEqual({ hits: 1 })
    expect(countedBy(other, () => other.get('none'))).toEqual({ misses: 1 })
    expect(countedBy(cache, () => cache.getMany(['key', 'none', 'other']))).toEqual({
      hits: 1,
      misses: 2,
      nearHits: 2,
    })
    expect(countedBy(cache, () => cache.getEntry('key'))).toEqual({ hits: 1, nearHits: 1 })
    expect(countedBy(cache, () => cache.getOrInsert('key', 1))).toEqual({ hits: 1, nearHits: 1 })
    const walks = [() => cache.has('key'), () => [...cache], () => cache.scan(), () => cache.snapshot()]
    for (const walk of walks) expect(countedBy(cache, walk)).toEqual({})
  })

  test('a near entry whose bucket, but not whose entry changed is hit, or if it lies elsewhere refreshed', () => {
    using cache = new ConcurrentCache<string, unknown>({ engine: lineup.engineOf(0) })
    const [keys] = neighbouringKeys(cache.handle, [SLOTS_PER_BUCKET + 1])
    const [home, spilled] = [keys[0], keys.at(-1)!]
    for (const key of keys) cache.set(key, { key })
    for (const key of [home, spilled]) for (let i = 0; i < 2; i++) cache.get(key)
    cache.set(keys[1], {})
    expect(countedBy(cache, () => cache.get(home))).toEqual({ hits: 1, nearHits: 1 })
    expect(countedBy(cache, () => cache.get(spilled))).toEqual({ hits: 1, nearMisses: 1, nearRefreshed: 1 })
  })

  test('entries that are no more are counted by why', () => {
    using cache = new ConcurrentCache<string, unknown>({ engine: lineup.engineOf(0) })
    const clock = new Clock(cache.handle)
    expect(countedBy(cache, () => cache.set('key', 1))).toEqual({})
    expect(countedBy(cache, () => cache.set('key', 2))).toEqual({ replaced: 1 })
    expect(countedBy(cache, () => cache.increment('key'))).toEqual({ replaced: 1 })
    expect(countedBy(cache, () => cache.setIfAbsent('key', 3))).toEqual({})
    expect(countedBy(cache, () => cache.delete('key'))).toEqual({ deleted: 1 })
    expect(countedBy(cache, () => cache.delete('key'))).toEqual({})
    cache.set('key', 1, { ttl: 1_000_000 })
    clock.advance(2_000_000)
    expect(countedBy(cache, () => cache.delete('key'))).toEqual({})
    expect(countedBy(cache, () => cache.setIfAbsent('key', 1))).toEqual({ expired: 1 })
    for (let i = 0; i < 99; i++) cache.set(`key ${i}`, 1)
    expect(countedBy(cache, () => cache.clear())).toEqual({ deleted: 100 })
  })

  test('what a thread counted outlives it, and is seen by others at the latest when it closes', () => {
    using cache = new ConcurrentCache<string, unknown>({ engine: lineup.engineOf(0) })
    const other = ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) })
    other.set('key', 1)
    for (let i = 0; i < 100_000; i++) other.get('key')
    other.set('key', 2)
    other.close()
    using again = ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) })
    again.get('key')
    again.close()
    expect(cache.stats().counters).toMatchObject({ hits: 100_001, nearHits: 99_999, nearMisses: 2, replaced: 1 })
  })

  test('the memory adds up, by what it is for', () => {
    using cache = new ConcurrentCache<number, string>({ maxBytes: 16 * 2 ** 20, engine: lineup.engineOf(0) })
    const total = ({ memory }: ReturnType<typeof cache.stats>): number =>
      memory.entries + memory.index + memory.eviction + memory.spare + memory.overhead + memory.unused
    const empty = cache.stats()
    expect(empty.memory.entries).toBe(0)
    expect(total(empty)).toBe(16 * 2 ** 20)
    // 24 bytes of header, 8 of key, 100 of value: 144 in blocks.
    for (let i = 0; i < 10_000; i++) cache.set(i, 'x'.repeat(100))
    cache.set(-1, 'x'.repeat(100_000))
    const full = cache.stats()
    expect(full.memory.entries).toBe(10_000 * 144 + 25 * 4096)
    expect(full.memory.index).toBeGreaterThanOrEqual(full.segments * 4608)
    expect(full.memory.index).toBeLessThan(full.segments * 5000 + 1000)
    expect(total(full)).toBe(16 * 2 ** 20)
    cache.clear()
    const cleared = cache.stats()
    expect(cleared.memory.entries).toBe(0)
    expect(total(cleared)).toBe(16 * 2 ** 20)
  })
})

describe('a counter', () => {
  test('carries over into its high word, and shows no torn value while it does', () => {
    const words = new Int32Array(new SharedArrayBuffer(4096))
    words[THREAD_COUNTERS] = -2
    addToCounter(words, 0, 0, 1)
    expect(readCounter(words, 0, 0)).toBe(2 ** 32 - 1)
    const seen: number[] = []
    const { store } = Atomics
    Atomics.store = ((...all: Parameters<typeof store>) => {
      const result = store(...all)
      seen.push(readCounter(words, 0, 0))
      return result
    }) as typeof store
    try {
      addToCounter(words, 0, 0, 3)
    } finally {
      Atomics.store = store
    }
    expect(readCounter(words, 0, 0)).toBe(2 ** 32 + 2)
    expect(seen.length).toBeGreaterThan(1)
    for (const value of seen) expect([2 ** 32 - 1, 2 ** 32, 2 ** 32 + 2]).toContain(value)
    expect(seen.toSorted((a, b) => a - b)).toEqual(seen)
  })

  test('counts far beyond 32 bits', () => {
    const words = new Int32Array(new SharedArrayBuffer(4096))
    for (let i = 0; i < 1000; i++) addToCounter(words, 0, 1, 2 ** 32 - 1)
    expect(readCounter(words, 0, 1)).toBe(1000 * (2 ** 32 - 1))
  })
})
