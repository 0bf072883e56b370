import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type BreakerOptions, type Key } from '../../src/index.js'
import { openInspection } from '../../src/inspect/index.js'
import { HEADER_BREAKER, HEADER_BREAKER_COUNTS } from '../../src/format/layout.js'
import { Clock } from '../support/clock.js'
import { Crew } from '../support/crew.js'
import { lineups, nearAndFarLineups, scaled } from '../support/run.js'
import type * as tasks from './breaker.tasks.js'

const OPTIONS: BreakerOptions = { threshold: 0.5, volumeThreshold: 4, duration: 1_000_000, halfOpenAfter: 30_000 }
/** Milliseconds by which the region's time and the system's clock may part unnoticed. */
const CLOCKS_APART = 50
const OPEN = { code: 'ERR_MAPSAFE_BREAKER' }
const fail = (): Promise<never> => Promise.reject(new Error('down'))

describe.each(nearAndFarLineups)('a circuit breaker of loads ($name)', (lineup) => {
  let map: ConcurrentCache<Key, unknown>
  let cache: ConcurrentCache<Key, unknown>
  /** Another cache object, to which only the region leads: it stands for another thread. */
  let other: ConcurrentCache<Key, unknown>
  let clock: Clock
  let runs: number
  beforeEach(() => {
    map = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    cache = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(0), breaker: OPTIONS, ...lineup.attach })
    other = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(1), breaker: OPTIONS, ...lineup.attach })
    clock = new Clock(map.handle)
    runs = 0
  })
  afterEach(() => {
    cache.close()
    other.close()
    expect(map.verify().problems).toEqual([])
    map.close()
  })
  const load = async (): Promise<string> => {
    runs++
    await sleep(5)
    return 'value'
  }
  const counts = (): object => {
    const { loads, loadFailures, loadsRefused, breakerOpened, staleOnError } = map.stats().counters
    return { loads, loadFailures, loadsRefused, breakerOpened, staleOnError }
  }
  async function open(): Promise<void> {
    for (const each of [cache, other, cache, other]) await expect(each.getOrLoad('down', fail)).rejects.toThrow('down')
  }

  test('opens for all when enough loads failed, and calls no loader then', async () => {
    cache.set('there', 1)
    await open()
    for (const each of [cache, other]) {
      await expect(each.getOrLoad('key', load)).rejects.toMatchObject(OPEN)
      await expect(each.getManyOrLoad(['key', 'there'], () => (runs++, []))).rejects.toMatchObject(OPEN)
      await expect(each.getOrLoad('there', load, { forceRefresh: true })).rejects.toMatchObject(OPEN)
      expect(await each.getOrLoad('there', load)).toBe(1)
    }
    expect(runs).toBe(0)
    expect(counts()).toEqual({ loads: 4, loadFailures: 4, loadsRefused: 6, breakerOpened: 1, staleOnError: 0 })
    // A cache object without a breaker takes no part in it.
    expect(await map.getOrLoad('key', load)).toBe('value')
    expect(cache.size).toBe(2)
  })

  test('one probe of everybody decides: it closes the breaker', async () => {
    await open()
    clock.advance(30_001)
    const calls = ['a', 'b', 'c', 'd'].map((key, i) => (i % 2 === 0 ? cache : other).getOrLoad(key, load))
    const settled = await Promise.allSettled(calls)
    expect(settled.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected'])
    expect(settled[1]).toMatchObject({ reason: OPEN })
    expect(runs).toBe(1)
    // Closed, and with nothing counted: three failures of four are needed anew.
    await expect(other.getOrLoad('x', fail)).rejects.toThrow('down')
    for (const each of [cache, other]) expect(await each.getOrLoad('b', load)).toBe('value')
    expect(counts()).toMatchObject({ breakerOpened: 1, loadsRefused: 3 })
  })

  test('a probe that fails or takes too long opens it again', async () => {
    await open()
    clock.advance(30_001)
    await expect(other.getOrLoad('key', fail)).rejects.toThrow('down')
    await expect(cache.getOrLoad('key', load)).rejects.toMatchObject(OPEN)
    clock.advance(30_001)
    const hangs = other.getOrLoad('key', () => new Promise(() => undefined), { timeout: 20 })
    await expect(hangs).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    await expect(cache.getOrLoad('key', load)).rejects.toMatchObject(OPEN)
    expect(counts()).toMatchObject({ breakerOpened: 3 })
    clock.advance(30_001)
    expect(await cache.getOrLoad('key', load)).toBe('value')
  })

  test('a probe that no call waits for gives its place to another at once', async () => {
    await open()
    clock.advance(30_001)
    const controller = new AbortController()
    const gone = cache.getOrLoad('key', () => new Promise(() => undefined), { signal: controller.signal })
    await expect(other.getOrLoad('other', load)).rejects.toMatchObject(OPEN)
    controller.abort(new Error('gone'))
    await expect(gone).rejects.toThrow('gone')
    // At once, by the cache's clock, which does not move.
    let value: unknown
    while (value !== 'value') {
      await sleep(1)
      value = await other.getOrLoad('other', load).catch(() => undefined)
    }
  })

  test('a probe whose thread is gone holds others up no longer than its time', async () => {
    await open()
    clock.advance(30_001)
    const lost = cache.getOrLoad('key', () => new Promise(() => undefined), { timeout: 5000 }).catch(() => undefined)
    await expect(other.getOrLoad('other', load)).rejects.toMatchObject(OPEN)
    // As if the thread had died: its load never ends, but its time does.
    clock.advance(5001)
    expect(await other.getOrLoad('other', load)).toBe('value')
    cache.close()
    await lost
    expect(await other.getOrLoad('again', load)).toBe('value')
  })

  test('few loads, and failures of another window, leave it closed', async () => {
    for (let i = 0; i < 3; i++) await expect(cache.getOrLoad('key', fail)).rejects.toThrow('down')
    clock.advance(1_000_000)
    for (let i = 0; i < 3; i++) await expect(other.getOrLoad('key', fail)).rejects.toThrow('down')
    expect(await other.getOrLoad('key', load)).toBe('value')
    expect(counts()).toMatchObject({ breakerOpened: 0 })
    await expect(other.getOrLoad('other', fail)).rejects.toThrow('down')
    expect(counts()).toMatchObject({ breakerOpened: 1 })
  })

  test('a loader of many keys counts once, and is one probe', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => i)
    for (let i = 0; i < 3; i++) await expect(cache.getManyOrLoad(keys, fail)).rejects.toThrow('down')
    expect(counts()).toMatchObject({ breakerOpened: 0, loadFailures: 150 })
    await expect(other.getManyOrLoad(keys, fail)).rejects.toThrow('down')
    expect(counts()).toMatchObject({ breakerOpened: 1 })
    clock.advance(30_001)
    const values = await other.getManyOrLoad(keys, (missing) => (runs++, missing.map((key) => [key, key] as const)))
    expect(values).toEqual(keys)
    expect(runs).toBe(1)
    expect(await cache.getOrLoad('key', load)).toBe('value')
  })

  test('expired values are served while it is open', async () => {
    const options = { ttl: 1000, staleIfError: 60_000 }
    const both = { ...options, staleWhileRevalidate: 10_000 }
    await cache.getOrLoad('stale', load, options)
    await cache.getOrLoad('both', load, both)
    clock.advance(2000)
    for (let i = 0; i < 6; i++) await cache.getOrLoad('down', fail).catch(() => undefined)
    for (const each of [cache, other]) {
      expect(await each.getOrLoad('stale', load, options)).toBe('value')
      expect(await each.getOrLoad('both', load, both)).toBe('value')
      await expect(each.getOrLoad('stale', load)).rejects.toMatchObject(OPEN)
    }
    expect(runs).toBe(2)
    expect(counts()).toMatchObject({ staleOnError: 2 })
    clock.advance(30_001)
    expect(await other.getOrLoad('stale', () => 'new', options)).toBe('new')
  })

  test('every map object tells its state, how often it opened, and until when', async () => {
    using without = ConcurrentCache.attach(map.handle)
    const told = (): unknown[] => [map, cache, other, without].map((each) => each.stats().breaker)
    const expectTold = (expected: object): void => {
      for (const one of told()) expect(one).toEqual(expected)
      using seen = openInspection(map.handle)
      expect(seen.stats().breaker).toEqual(expected)
    }
    expectTold({ state: 'closed', opened: 0, until: undefined })
    const [before, after] = [Date.now(), (await open(), Date.now())]
    const { until } = map.stats().breaker!
    expect(until).toBeGreaterThanOrEqual(before + OPTIONS.halfOpenAfter! - CLOCKS_APART)
    expect(until).toBeLessThanOrEqual(after + OPTIONS.halfOpenAfter! + CLOCKS_APART)
    expectTold({ state: 'open', opened: 1, until })
    clock.advance(30_001)
    expectTold({ state: 'open', opened: 1, until })
    let end: (value: string) => void = () => undefined
    const probe = other.getOrLoad('key', () => new Promise<string>((resolve) => (end = resolve)), { timeout: 5000 })
    const probing = map.stats().breaker!
    expect(probing.until! - until!).toBeGreaterThan(4900)
    expectTold({ ...probing, state: 'half-open', opened: 1 })
    end('value')
    await probe
    expectTold({ state: 'closed', opened: 1, until: undefined })
    using plain = new ConcurrentMap({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    expect(plain.stats()).toMatchObject({ breaker: undefined })
  })

  test('a value that cannot be stored is no failure of the source', async () => {
    for (let i = 0; i < 6; i++) await expect(cache.getOrLoad(i, () => () => 1)).rejects.toThrow(/function/)
    expect(counts()).toMatchObject({ loadFailures: 6, breakerOpened: 0 })
  })

  test('what a damaged region says of a far end is not believed', async () => {
    new BigUint64Array(map.handle.region!)[HEADER_BREAKER / 2] = 2n ** 64n - 1n
    expect(await cache.getOrLoad('key', load)).toBe('value')
  })

  test.each([
    { threshold: 0 },
    { threshold: 1.1 },
    { threshold: '1' },
    { volumeThreshold: 0 },
    { duration: 0.5 },
    { halfOpenAfter: Infinity },
    { resetTimeout: 5 },
    5,
    null,
    'on',
  ])('refuses %j', (breaker) => {
    for (const make of [
      () => new ConcurrentCache({ breaker } as never),
      () => ConcurrentCache.attach(map.handle, { breaker } as never),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
    }
  })
})

describe('the state that all threads share', () => {
  const WORKERS = 4
  const crew = new Crew<typeof tasks>(new URL('breaker.tasks.ts', import.meta.url), WORKERS, 'threads')
  afterAll(() => crew.dismiss())

  test.each(lineups)('no count is lost ($name)', async (lineup) => {
    const cache = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    const loads = scaled(5000)
    await crew.run({ lineup, handle: cache.handle }, 'count', { loads })
    const counts = new BigUint64Array(cache.handle.region!)[HEADER_BREAKER_COUNTS / 2]
    expect(Number((counts >> 20n) & 0x3fffffn)).toBe(WORKERS * loads)
    expect(Number(counts >> 42n)).toBe((WORKERS * loads) / 10)
    cache.close()
  })

  test.each(lineups)('exactly one of all threads is the probe ($name)', async (lineup) => {
    const cache = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    // Open, and due long ago.
    new BigUint64Array(cache.handle.region!)[HEADER_BREAKER / 2] = 1n
    const rounds = scaled(300)
    const probes = await crew.run({ lineup, handle: cache.handle }, 'probe', { rounds })
    for (let round = 0; round < rounds; round++) {
      expect(probes.map((each) => each[round]).reduce((a, b) => a + b)).toBe(1)
    }
    cache.close()
  })
})
