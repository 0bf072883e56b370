import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { storeOf } from '../../src/public/concurrent-map.js'
import { HASH_END, type Engine } from '../../src/engine/engine.js'
import { ConcurrentCache, type ConcurrentCacheOptions } from '../../src/index.js'
import { EXPIRY_TICK_MS } from '../../src/format/layout.js'
import { Clock } from '../support/clock.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'
import { expectSound } from '../support/sound.js'

const TTL = 1_000_000
/** Until everything that expires with TTL is due to be swept, whichever engine's clock. */
const DUE = TTL + 60_000

type Cache = ConcurrentCache<number, string>

describe.each(lineups)('$name', (lineup) => {
  let caches: Cache[]
  let clock: Clock

  function open(options: ConcurrentCacheOptions = {}): void {
    const first = new ConcurrentCache<number, string>({ ...options, engine: lineup.engineOf(0) })
    caches = [first, ConcurrentCache.attach<number, string>(first.handle, { engine: lineup.engineOf(1) })]
    clock = new Clock(first.handle)
  }

  function engineOf(cache: Cache): Engine {
    return storeOf(cache).open()
  }

  function sweepAll(cache: Cache): void {
    for (let from = 0; from < HASH_END;) from = engineOf(cache).sweep(from, 1000)
  }

  /** Calls of sweep by each cache's engine. */
  function spyOnSweeps(): { readonly mock: { readonly calls: unknown[][] } }[] {
    return caches.map((cache) => vi.spyOn(engineOf(cache), 'sweep'))
  }

  beforeEach(() => {
    // The sweeper's timers go off when a test says so.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    for (const cache of caches) {
      expectSoundButForExpired(cache)
      clock.advance(60_000)
      sweepAll(cache)
      expectSound(cache)
      cache.close()
    }
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  test('expired entries are deleted and their memory is given back, without anyone reading them', () => {
    open()
    const [cache] = caches
    const before = cache.stats().memory
    for (let i = 0; i < 20_000; i++) cache.set(i, 'x'.repeat(100), i % 10 === 0 ? {} : { ttl: TTL })
    const during = cache.stats().memory
    expect(during.entries).toBeGreaterThan(before.entries + 20_000 * 120)
    clock.advance(DUE)
    expect(cache.size).toBe(20_000)
    for (let i = 0; cache.size > 2000 && i < 1000; i++) vi.advanceTimersByTime(i === 0 ? 1000 : 10)
    expect(cache.size).toBe(2000)
    const { memory, counters } = cache.stats()
    expect(counters.expired).toBe(18_000)
    expect(memory.entries).toBeLessThan(during.entries / 5)
    for (let i = 0; i < 20_000; i += 10) expect(cache.has(i)).toBe(true)
  })

  test('one thread walks in the background, a bounded slice at a time, once a tick', () => {
    open()
    const spies = spyOnSweeps()
    // One without a budget walks over nothing.
    const calls = (): number[] => spies.map(({ mock }) => mock.calls.filter(([, budget]) => budget !== 0).length)
    vi.advanceTimersByTime(1000)
    expect(calls().sort()).toEqual([0, 1])
    vi.advanceTimersByTime(1000)
    expect(calls()[0] + calls()[1], 'the clock stood still').toBe(1)
    clock.advance(EXPIRY_TICK_MS)
    vi.advanceTimersByTime(1000)
    expect(calls()[0] + calls()[1]).toBe(2)
    for (const { mock } of spies) for (const [, budget] of mock.calls) expect(budget).toBeLessThanOrEqual(256)
  })

  test('a walk that a closing thread left is done in the next tick', () => {
    open()
    const [first, second] = caches
    for (let i = 0; i < 30_000; i++) first.set(i, 'value', { ttl: TTL })
    clock.advance(DUE)
    vi.spyOn(performance, 'now').mockImplementation(
      (
        (time) => () =>
          (time += 1000)
      )(0),
    )
    vi.advanceTimersByTime(1000)
    // A slice is one step then: neither has finished.
    expect(first.size).toBeGreaterThan(0)
    expect(first.size).toBeLessThan(30_000)
    first.close()
    caches = [second]
    clock.advance(EXPIRY_TICK_MS)
    vi.advanceTimersByTime(1000)
    for (let i = 0; second.size > 0 && i < 1000; i++) vi.advanceTimersByTime(10)
    expect(second.size).toBe(0)
  })

  test('writes alone keep the number of expired entries low', () => {
    open({ ttl: 10_000 })
    let most = 0
    const alive = 2000
    for (let i = 0; i < scaled(40_000); i++) {
      caches[i % 2].set(i, 'value')
      clock.advance(10_000 / alive)
      if (i > 2 * alive) most = Math.max(most, caches[0].size)
    }
    expect(most).toBeLessThan(alive * 3)
    expect(caches[0].stats().counters.expired).toBeGreaterThan(scaled(40_000) - alive * 3)
  })

  test('entries that were rewritten, touched or counted up meanwhile stay', () => {
    open()
    const [cache, other] = caches
    for (let i = 0; i < 3000; i++) cache.set(i, 'old', { ttl: TTL })
    clock.advance(TTL / 2)
    for (let i = 0; i < 1000; i++) other.set(i, 'new', { ttl: TTL })
    for (let i = 1000; i < 1500; i++) other.touch(i, TTL)
    for (let i = 1500; i < 2000; i++) other.set(i, 'for ever')
    clock.advance(TTL / 2 + 60_000)
    sweepAll(cache)
    for (let i = 0; i < 3000; i++) {
      expect(cache.get(i)).toBe(i < 1000 ? 'new' : i < 1500 ? 'old' : i < 2000 ? 'for ever' : undefined)
    }
    expect(cache.size).toBe(2000)
  })

  test('a full cache uses the memory of expired entries at once', () => {
    open({ maxBytes: 2 ** 20 })
    const [cache] = caches
    // Two rounds do not fit at once: those that expired make room, and nothing that lives has to go. (With 1500 entries one
    // run in thirty evicts one that lives: each part of the cache evicts for itself, and one gets more of them by chance.)
    const entries = 1400
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < entries; i++) cache.set(round * entries + i, 'x'.repeat(200), { ttl: TTL })
      for (let i = 0; i < entries; i++) expect(cache.has(round * entries + i)).toBe(true)
      clock.advance(DUE)
    }
    expect(cache.stats().counters.evicted).toBe(0)
  })

  test('every segment knows what expires first, however it is written', () => {
    open()
    const random = new Random(seed)
    for (let i = 0; i < scaled(30_000); i++) {
      const cache = random.pick(caches)
      const key = random.below(8000)
      const ttl = 1 + random.below(1_000_000)
      const act = random.below(8)
      if (act === 0) cache.delete(key)
      else if (act === 1) cache.touch(key, ttl)
      else if (act === 2) cache.set(key, 'for ever')
      else if (act === 3) cache.update(key, (value) => `${value}`.slice(0, 10), { ttl })
      else cache.set(key, 'value', { ttl })
      if (i % 500 === 0) clock.advance(random.below(40_000))
      if (i % 10_000 === 9999) expectSoundButForExpired(cache)
    }
    clock.advance(DUE)
  })

  function expectSoundButForExpired(cache: Cache): void {
    expect(cache.verify().problems, `MAPSAFE_SEED=${seed}`).toEqual([])
  }
})

test('a cache that was closed or dropped leaves no timer that runs', () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
  const cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
  expect(vi.getTimerCount()).toBe(1)
  cache.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})
