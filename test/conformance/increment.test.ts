import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type ConcurrentCacheOptions, type Key } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'
import { describeEachLineup } from '../support/subject.js'

/** Long beside the seconds that a test may take, so that only the test's clock makes entries expire. */
const TTL = 1_000_000
const SLACK = 60_000

const ifPresent = { ifPresent: true }

describeEachLineup((subject) => {
  describe('increment with ifPresent', () => {
    test('adds to a number that is there', () => {
      subject().map.set('set', 5)
      subject().map.increment('counted', 5)
      for (const key of ['set', 'counted']) {
        expect(subject().map.increment(key, -2, ifPresent)).toBe(3)
        expect(subject().map.increment(key, -2, ifPresent)).toBe(1)
        expect(subject().map.get(key)).toBe(1)
      }
    })

    test('stores nothing where there is none, or where it was deleted', () => {
      for (let i = 0; i < 2; i++) {
        expect(subject().map.increment('absent', -1, ifPresent)).toBeUndefined()
        expect(subject().map.incrementEntry('absent', -1, ifPresent)).toBeUndefined()
      }
      expect(subject().content()).toEqual([])
      // Once with the thread that changed the counter last, which would find it without a walk, and once with the other.
      for (const map of subject().maps) {
        subject().maps[0].increment('n')
        subject().maps[0].increment('n')
        map.delete('n')
        expect(subject().maps[0].increment('n', -1, ifPresent)).toBeUndefined()
      }
      expect(subject().map.size).toBe(0)
    })

    test('refuses what is no counter', () => {
      subject().map.set('text', 'a').set('large', Number.MAX_SAFE_INTEGER)
      subject().expectRefused('ERR_MAPSAFE_COUNTER', (map) => map.increment('text', 1, ifPresent))
      subject().expectRefused('ERR_MAPSAFE_COUNTER', (map) => map.incrementEntry('large', 1, ifPresent))
    })

    test('false is as if it was not given', () => {
      expect(subject().map.increment('n', 2, { ifPresent: false })).toBe(2)
      expect(subject().map.increment('n', 2, {})).toBe(4)
      expect(subject().map.increment('n', undefined, { ifPresent: undefined })).toBe(5)
    })
  })

  test('incrementEntry returns the entry as getEntry does afterwards', () => {
    subject().map.set('set', 5)
    for (const key of ['new', 'set']) {
      let last = subject().map.getEntry(key)?.version ?? 0
      for (const by of [1, 2, -40, undefined]) {
        const entry = subject().map.incrementEntry(key, by)
        expect(subject().map.getEntry(key)).toEqual(entry)
        expect(entry.version).toBeGreaterThan(last)
        expect(subject().map.setIfVersion(key, entry.value, last)).toBe(false)
        last = entry.version
      }
      expect(subject().map.incrementEntry(key, 1, ifPresent)).toEqual(subject().map.getEntry(key))
    }
  })
})

describe.each(nearAndFarLineups)('in a cache, $name', (lineup) => {
  let caches: ConcurrentCache<Key, number>[] = []
  let clock: Clock
  let turn = 0

  /** The cache, through another engine each time if there are two. */
  function cache(): ConcurrentCache<Key, number> {
    return caches[turn++ % caches.length]
  }

  function open(options: ConcurrentCacheOptions = {}): void {
    close()
    const first = new ConcurrentCache<Key, number>({
      maxBytes: 2 ** 20,
      ...options,
      ...lineup.attach,
      engine: lineup.engineOf(0),
    })
    const second = ConcurrentCache.attach<Key, number>(first.handle, { ...lineup.attach, engine: lineup.engineOf(1) })
    caches = [first, second]
    clock = new Clock(first.handle)
  }

  function close(): void {
    for (const one of caches) {
      expect(one.verify().problems).toEqual([])
      one.close()
    }
    caches = []
  }

  beforeEach(() => {
    open()
  })
  afterEach(close)

  test('a decrement with ifPresent begins no new window', () => {
    cache().increment('hits', 1, { ttl: TTL })
    expect(cache().increment('hits', -1, { ifPresent: true, ttl: TTL })).toBe(0)
    clock.advance(TTL + SLACK)
    for (let i = 0; i < 2; i++) {
      expect(cache().increment('hits', -1, { ifPresent: true, ttl: TTL })).toBeUndefined()
      expect(cache().incrementEntry('hits', -1, { ifPresent: true, renew: true, ttl: TTL })).toBeUndefined()
    }
    expect(cache().has('hits')).toBe(false)
    expect(cache().increment('hits', 1, { ttl: TTL })).toBe(1)
  })

  test('a key that is being loaded has no number yet', async () => {
    const loading = cache().getOrLoad('n', async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return 5
    })
    expect(cache().increment('n', 1, ifPresent)).toBeUndefined()
    expect(await loading).toBe(5)
    expect(cache().increment('n', 1, ifPresent)).toBe(6)
  })

  test('incrementEntry says when the window of the count ends', () => {
    open({ ttl: TTL * 5 })
    const before = clock.now()
    const first = cache().incrementEntry('n', 1, { ttl: TTL })
    expect(first.value).toBe(1)
    expect(first.expiresAt).toBeGreaterThanOrEqual(before + TTL - 1)
    expect(first.expiresAt).toBeLessThanOrEqual(clock.now() + TTL)
    clock.advance(TTL / 2)
    for (let count = 2; count < 6; count++) {
      expect(cache().incrementEntry('n', 1, { ttl: TTL })).toMatchObject({ value: count, expiresAt: first.expiresAt })
    }
    clock.advance(TTL / 2 + SLACK)
    const next = cache().incrementEntry('n', 1, { ttl: TTL })
    expect(next).toMatchObject({ value: 1 })
    expect(next.expiresAt).toBeGreaterThan(first.expiresAt! + SLACK - 1)
    expect(next.version).toBeGreaterThan(first.version)
    expect(cache().incrementEntry('default').expiresAt).toBeGreaterThan(clock.now() + TTL * 4)
  })

  test('incrementEntry says it of a number that was set, of a time given, and of one for ever', () => {
    const expiresAt = Math.floor(clock.now()) + TTL
    cache().set('set', 1, { expiresAt })
    expect(cache().incrementEntry('set')).toMatchObject({ value: 2, expiresAt })
    expect(cache().incrementEntry('set')).toMatchObject({ value: 3, expiresAt })
    expect(cache().incrementEntry('new', 1, { expiresAt })).toMatchObject({ value: 1, expiresAt })
    expect(cache().incrementEntry('new', 1, { ttl: 1 })).toMatchObject({ value: 2, expiresAt })
    for (const value of [1, 2]) {
      expect(cache().incrementEntry('ever', 1, { ttl: Infinity })).toMatchObject({ value, expiresAt: undefined })
    }
    expect(cache().incrementEntry('ever', 1, { ttl: TTL })).toMatchObject({ value: 3, expiresAt: undefined })
  })

  test('with renew each call begins the lifetime anew', () => {
    open({ ttl: TTL * 5 })
    const renew = { renew: true, ttl: TTL }
    const { expiresAt } = cache().incrementEntry('n', 1, renew)
    let count = 1
    for (let i = 0; i < 4; i++) {
      clock.advance(TTL / 2)
      const entry = cache().incrementEntry('n', 1, renew)
      expect(entry.value).toBe(++count)
      expect(entry.expiresAt).toBeGreaterThanOrEqual(expiresAt! + ((i + 1) * TTL) / 2)
      expect(cache().getEntry('n')).toEqual(entry)
      // One without it keeps the expiry, in place again.
      const kept = cache().incrementEntry('n', 1)
      expect(kept).toMatchObject({ value: ++count, expiresAt: entry.expiresAt })
      expect(kept.version).toBeGreaterThan(entry.version)
    }
    expect(cache().incrementEntry('n', 0, { renew: true }).expiresAt).toBeGreaterThan(clock.now() + TTL * 4)
    expect(cache().incrementEntry('n', 0, { renew: true, ttl: Infinity }).expiresAt).toBeUndefined()
    expect(cache().increment('n', 0, { ...ifPresent, ...renew })).toBe(count)
    clock.advance(TTL + SLACK)
    expect(cache().has('n')).toBe(false)
    expect(cache().size).toBeLessThanOrEqual(1)
  })

  test('renewed counters fill a cache and are evicted like others', () => {
    for (let i = 0; i < 30_000; i++) cache().increment(`key ${i % 20_000}`, 1, { renew: true, ttl: TTL })
    expect(cache().stats().counters.evicted).toBeGreaterThan(0)
  })
})
