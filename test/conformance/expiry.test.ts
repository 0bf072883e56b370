import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { storeOf } from '../../src/public/concurrent-map.js'
import { ConcurrentCache, ConcurrentMap, type ConcurrentCacheOptions, type Key } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'
import { storableValues } from '../support/values.js'

/** Long beside the seconds that a test may take, so that only the test's clock makes entries expire. */
const TTL = 1_000_000
/** Longer than the engines' clocks may be apart. */
const SLACK = 60_000
const PAST = TTL + SLACK

type Cache = ConcurrentCache<Key, unknown>

/** Values of every kind, but for those whose comparison takes long. */
function shortValues(): Record<string, unknown> {
  const isShort = (name: string): boolean => !/long|sparse|mebibyte|many/.test(name)
  return Object.fromEntries(Object.entries(storableValues()).filter(([name]) => isShort(name)))
}

describe.each(nearAndFarLineups)('$name', (lineup) => {
  let caches: Cache[] = []
  let clock: Clock
  let turn = 0

  /** The cache, through another engine each time if there are two. */
  function cache(): Cache {
    return caches[turn++ % caches.length]
  }

  function open(options: ConcurrentCacheOptions = {}): void {
    close()
    const { attach } = lineup
    const first = new ConcurrentCache<Key, unknown>({
      maxBytes: 4 * 2 ** 20,
      ...options,
      ...attach,
      engine: lineup.engineOf(0),
    })
    const second = ConcurrentCache.attach<Key, unknown>(first.handle, { ...attach, engine: lineup.engineOf(1) })
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

  /** Reads the key until the near-cache knows it. */
  function warm(key: Key): void {
    for (const one of caches) {
      one.get(key)
      one.get(key)
    }
  }

  function expectAbsent(key: Key): void {
    for (const one of caches) {
      expect(one.get(key), 'get').toBeUndefined()
      expect(one.has(key), 'has').toBe(false)
      expect(one.getEntry(key), 'getEntry').toBeUndefined()
      expect(one.getMany([key]), 'getMany').toEqual([undefined])
      expect([...one.keys()], 'keys').not.toContain(key)
      expect(
        [...one].map(([each]) => each),
        'entries',
      ).not.toContain(key)
      expect(
        one.scan(0, { count: 2 ** 20 }).entries.map(([each]) => each),
        'scan',
      ).not.toContain(key)
      const snapshot = one.snapshot()
      expect([...snapshot.keys()], 'snapshot').not.toContain(key)
      expect(snapshot.size, 'size of the snapshot').toBe([...snapshot.keys()].length)
    }
  }

  beforeEach(() => {
    open()
  })
  afterEach(close)

  describe('an entry expires', () => {
    test('after the ttl of its write, for every way to read', () => {
      cache().set('key', { a: 1 }, { ttl: TTL }).set('other', 'for ever')
      warm('key')
      clock.advance(TTL - SLACK)
      for (const one of caches) expect(one.get('key')).toEqual({ a: 1 })
      clock.advance(SLACK * 2)
      expectAbsent('key')
      for (const one of caches) expect(one.get('other')).toBe('for ever')
    })

    test('after the ttl of the cache, in every thread, unless the write says otherwise', () => {
      open({ ttl: TTL })
      for (const one of caches) {
        one
          .set('default', 1)
          .set('short', 1, { ttl: TTL / 2 })
          .set('long', 1, { ttl: TTL * 2 })
        one.set('for ever', 1, { ttl: Infinity }).setMany([['batched', 1]])
        clock.advance(TTL / 2 + SLACK)
        expectAbsent('short')
        for (const key of ['default', 'long', 'for ever', 'batched']) expect(cache().get(key), key).toBe(1)
        clock.advance(TTL / 2)
        for (const key of ['default', 'batched']) expectAbsent(key)
        clock.advance(TTL)
        expectAbsent('long')
        clock.advance(TTL * 1e6)
        expect(cache().get('for ever')).toBe(1)
      }
    })

    test('at a time given', () => {
      const expiresAt = clock.now() + TTL
      cache().set('key', 1, { expiresAt })
      warm('key')
      expect(cache().getEntry('key')).toMatchObject({ value: 1, expiresAt })
      expect(cache().getEntry('key')).toMatchObject({ value: 1, expiresAt })
      clock.advance(PAST)
      expectAbsent('key')
      cache().set('key', 2, { expiresAt })
      expectAbsent('key')
    })

    test('years later', () => {
      const years = 300 * 365 * 86_400_000
      cache().set('key', 1, { ttl: years })
      clock.advance(years - SLACK)
      expect(cache().get('key')).toBe(1)
      clock.advance(SLACK * 2)
      expectAbsent('key')
    })

    test('with any key and any value', () => {
      const values = Object.entries(shortValues())
      const keys: Key[] = [
        -1.5,
        0,
        12345678901234567890n,
        true,
        new Uint8Array([1, 2, 3]),
        'a',
        '\u2603',
        'x'.repeat(99),
      ]
      for (const key of keys) cache().set(key, 'value', { ttl: TTL })
      for (const [name, value] of values) cache().set(name, value, { ttl: TTL })
      for (const key of keys) expect(cache().get(key)).toBe('value')
      for (const [name, value] of values) expect(cache().get(name), name).toEqual(structuredClone(value))
      clock.advance(PAST)
      for (const key of [...keys, ...values.map(([name]) => name)]) {
        expect(cache().has(key)).toBe(false)
        expect(cache().get(key)).toBeUndefined()
      }
      expect([...cache()]).toEqual([])
    })

    test('by the real clock', async () => {
      cache().set('key', 1, { ttl: 50 })
      warm('key')
      const start = performance.now()
      await new Promise((resolve) => setTimeout(resolve, 61))
      expect(performance.now() - start).toBeGreaterThan(60)
      expectAbsent('key')
    })
  })

  describe('an expired entry counts as absent', () => {
    beforeEach(() => {
      cache().set('key', 'old', { ttl: TTL })
      warm('key')
      clock.advance(PAST)
    })

    test('for writes on condition that there is none', () => {
      expect(cache().setIfAbsent('key', 'new')).toBe(true)
      expect(cache().get('key')).toBe('new')
      expect(cache().setIfAbsent('key', 'newer')).toBe(false)
      expect(cache().getEntry('key')?.expiresAt).toBeUndefined()
    })

    test('for getOrInsert and getOrInsertComputed', () => {
      expect(cache().getOrInsert('key', 'new', { ttl: TTL })).toBe('new')
      clock.advance(PAST)
      expect(cache().getOrInsertComputed('key', () => 'computed', { ttl: TTL })).toBe('computed')
      clock.advance(PAST)
      expectAbsent('key')
    })

    test('for setIfVersion', () => {
      expect(cache().setIfVersion('key', 'new', 0)).toBe(true)
      expect(cache().get('key')).toBe('new')
    })

    test('for writes on condition that there is one', () => {
      expect(cache().replace('key', 'new')).toBe(false)
      expect(cache().compareAndSwap('key', 'old', 'new')).toBe(false)
      expect(cache().compareAndDelete('key', 'old')).toBe(false)
      expect(cache().delete('key')).toBe(false)
      expect(cache().deleteMany(['key'])).toBe(0)
      expect(cache().deleteWhere(() => true)).toBe(0)
      expect(cache().touch('key')).toBe(false)
      expectAbsent('key')
    })

    test('for what a write returns', () => {
      expect(cache().take('key')).toBeUndefined()
      expect(cache().swap('key', 'new', { ttl: TTL })).toBeUndefined()
      expect(cache().swap('key', 'newer', { ttl: TTL })).toBe('new')
      clock.advance(PAST)
      expect(cache().update('key', (value) => [value])).toEqual([undefined])
    })

    test('for increment, whatever it was', () => {
      expect(cache().increment('key')).toBe(1)
      expect(cache().increment('key')).toBe(2)
    })

    test('for who holds its key', () => {
      const store = storeOf(cache())
      expect(store.hold('key')).toBeUndefined()
      store.letGo()
    })

    test('but its version is not used again', () => {
      cache().set('key', 1, { ttl: TTL })
      const version = cache().getEntry('key')!.version
      clock.advance(PAST)
      expect(cache().setIfVersion('key', 2, version)).toBe(false)
      expect(cache().deleteIfVersion('key', version)).toBe(false)
      cache().setIfAbsent('key', 3)
      expect(cache().getEntry('key')!.version).toBeGreaterThan(version)
    })
  })

  describe('the expiry', () => {
    const rest = (key: Key): number => (cache().getEntry(key)?.expiresAt ?? Infinity) - clock.now()

    test('starts anew with every write of a value given', () => {
      open({ ttl: TTL })
      const writes: ((one: Cache) => unknown)[] = [
        (one) => one.set('key', 1),
        (one) => one.replace('key', 1),
        (one) => one.swap('key', 1),
        (one) => one.compareAndSwap('key', 1, 1),
        (one) => one.setIfVersion('key', 1, one.getEntry('key')!.version),
        (one) => one.setMany([['key', 1]]),
        (one) => one.touch('key'),
      ]
      cache().set('key', 1)
      for (const write of writes) {
        clock.advance(TTL / 2)
        expect(rest('key')).toBeLessThanOrEqual(TTL / 2)
        write(cache())
        expect(rest('key')).toBeGreaterThan(TTL - SLACK)
      }
    })

    test('is what the options of a write say', () => {
      const options = { ttl: TTL }
      const writes: ((one: Cache) => unknown)[] = [
        (one) => one.set('key', 1, options),
        (one) => one.replace('key', 1, options),
        (one) => one.swap('key', 1, options),
        (one) => one.compareAndSwap('key', 1, 1, options),
        (one) => one.setIfVersion('key', 1, one.getEntry('key')!.version, options),
        (one) => one.setMany([['key', 1]], options),
        (one) => one.touch('key', TTL),
        (one) => one.delete('key') && one.setIfAbsent('key', 1, options),
        (one) => one.delete('key') && one.getOrInsert('key', 1, options),
        (one) => one.delete('key') && one.getOrInsertComputed('key', () => 1, options),
        (one) => one.delete('key') && one.update('key', () => 1, options),
        (one) => one.delete('key') && one.increment('key', 1, options),
      ]
      for (const write of writes) {
        cache().set('key', 1)
        expect(rest('key')).toBe(Infinity)
        write(cache())
        expect(rest('key'), write.toString()).toBeGreaterThan(TTL - SLACK)
        expect(rest('key')).toBeLessThanOrEqual(TTL)
      }
    })

    test('is kept by writes that change the value that is there', () => {
      open({ ttl: TTL * 5 })
      cache().set('counter', 1, { ttl: TTL }).set('object', { n: 1 }, { ttl: TTL })
      const before = cache().getEntry('counter')!.expiresAt
      clock.advance(TTL / 2)
      expect(cache().increment('counter')).toBe(2)
      expect(cache().increment('counter', 1, { ttl: TTL * 9 })).toBe(3)
      expect(cache().getEntry('counter')!.expiresAt).toBe(before)
      expect(cache().update('object', (value) => ({ n: (value as { n: number }).n + 1 }))).toEqual({ n: 2 })
      expect(rest('object')).toBeLessThanOrEqual(TTL / 2)
      clock.advance(TTL / 2 + SLACK)
      expectAbsent('counter')
      expectAbsent('object')
      cache().increment('counter')
      expect(rest('counter')).toBeGreaterThan(TTL * 5 - SLACK)
    })

    test('of a counter for ever stays for ever', () => {
      open({ ttl: TTL })
      cache().set('key', 1, { ttl: Infinity })
      cache().increment('key')
      cache().increment('key')
      expect(cache().getEntry('key')).toMatchObject({ value: 3, expiresAt: undefined })
      // eslint-disable-next-line mapsafe/prefer-increment -- `update` is what is tested
      cache().update('key', (value) => (value as number) + 1)
      expect(cache().getEntry('key')).toMatchObject({ value: 4, expiresAt: undefined })
    })

    test('touched leaves values of every kind as they are, and raises the version', () => {
      for (const [name, value] of Object.entries(shortValues())) {
        cache().set('key', value)
        const { version } = cache().getEntry('key')!
        expect(cache().touch('key', TTL), name).toBe(true)
        expect(cache().get('key'), name).toEqual(structuredClone(value))
        expect(rest('key'), name).toBeGreaterThan(TTL - SLACK)
        expect(cache().getEntry('key')!.version, name).toBeGreaterThan(version)
        expect(cache().touch('key', Infinity), name).toBe(true)
        expect(rest('key'), name).toBe(Infinity)
      }
      expect(cache().touch('absent', TTL)).toBe(false)
      const large = new Uint8Array(300_000).fill(7)
      cache().set('key', large)
      expect(cache().touch('key')).toBe(true)
      expect(Buffer.compare(cache().get('key') as Uint8Array, large)).toBe(0)
    })
  })

  test('each entry of a batch may have a lifetime of its own', () => {
    open({ ttl: TTL * 3 })
    const expiresAt = Math.floor(clock.now()) + TTL * 2
    const entries: [Key, unknown, { ttl?: number; expiresAt?: number }?][] = []
    for (let i = 0; i < 400; i += 4) {
      entries.push([i, { i }, { ttl: TTL }], [i + 1, 'text', { expiresAt }], [i + 2, i], [i + 3, i, { ttl: Infinity }])
    }
    const left = (): Key[] => [...cache().keys()].sort((a, b) => (a as number) - (b as number))
    const classes = (...rests: number[]): Key[] =>
      Array.from({ length: 400 }, (_, i) => i).filter((i) => rests.includes(i % 4))
    for (const one of caches) {
      one.setMany(entries)
      expect(left()).toEqual(classes(0, 1, 2, 3))
      expect(one.getEntry(1)).toMatchObject({ value: 'text', expiresAt })
      expect(one.getEntry(3)!.expiresAt).toBeUndefined()
      one.clear()
      // The common options are for those without their own.
      one.setMany(entries, { ttl: TTL * 9 })
      expect(one.getEntry(2)!.expiresAt).toBeGreaterThan(clock.now() + TTL * 8)
      expect(one.getEntry(1)).toMatchObject({ value: 'text', expiresAt })
    }
    clock.advance(TTL + SLACK)
    expect(left()).toEqual(classes(1, 2, 3))
    clock.advance(TTL)
    expect(left()).toEqual(classes(2, 3))
    clock.advance(TTL * 9)
    expect(left()).toEqual(classes(3))
  })

  test('a touch has the options of a write', () => {
    open({ ttl: TTL * 5 })
    const expiresAt = Math.floor(clock.now()) + TTL
    cache().set('key', 1)
    expect(cache().touch('key', { expiresAt })).toBe(true)
    expect(cache().getEntry('key')!.expiresAt).toBe(expiresAt)
    expect(cache().touch('key', { ttl: Infinity })).toBe(true)
    expect(cache().getEntry('key')!.expiresAt).toBeUndefined()
    expect(cache().touch('key', {})).toBe(true)
    expect(cache().getEntry('key')!.expiresAt).toBeGreaterThan(clock.now() + TTL * 4)
    expect(cache().touch('key', { expiresAt: 1 })).toBe(true)
    expectAbsent('key')
  })

  test('wrong options are refused, and nothing is changed', () => {
    cache().set('key', 1)
    const refused = { code: 'ERR_MAPSAFE_OPTIONS' }
    for (const ttl of [0, -1, NaN, -Infinity, '1', null, 5n]) {
      const options = { ttl } as { ttl: number }
      expect(() => new ConcurrentCache(options), String(ttl)).toThrow(expect.objectContaining(refused) as Error)
      const expiry = { expiresAt: ttl } as { expiresAt: number }
      for (const each of [options, expiry]) {
        for (const act of [
          (one: Cache) => one.set('key', 2, each),
          (one: Cache) => one.setIfAbsent('new', 2, each),
          (one: Cache) => one.swap('key', 2, each),
          (one: Cache) => one.replace('key', 2, each),
          (one: Cache) => one.update('key', () => 2, each),
          (one: Cache) => one.increment('key', 1, each),
          (one: Cache) => one.setMany([['key', 2]], each),
          (one: Cache) => one.getOrInsert('new', 2, each),
          (one: Cache) => one.getOrInsertComputed('new', () => 2, each),
        ]) {
          expect(() => act(cache()), String(ttl)).toThrow(expect.objectContaining(refused) as Error)
        }
      }
      expect(() => cache().touch('key', ttl as number)).toThrow(expect.objectContaining(refused) as Error)
    }
    for (const options of [{ ttl: 1, expiresAt: 1 }, { tll: 1 }, 5, null, []]) {
      expect(() => cache().set('key', 2, options as object)).toThrow(expect.objectContaining(refused) as Error)
    }
    for (const maxEntries of [0, -1, 1.5, NaN, '1', 2 ** 31]) {
      expect(() => new ConcurrentCache({ maxEntries } as { maxEntries: number })).toThrow(
        expect.objectContaining(refused) as Error,
      )
    }
    expect([...cache()]).toEqual([['key', 1]])
  })
})

describe('handles', () => {
  test('of a map and of a cache are told apart', () => {
    using map = new ConcurrentMap({ maxBytes: 2 ** 20 })
    using cache = new ConcurrentCache({ maxBytes: 2 ** 20 })
    const refused = {
      code: 'ERR_MAPSAFE_OPTIONS',
      message: expect.stringContaining('ConcurrentCache.attach') as string,
    }
    expect(() => ConcurrentMap.attach(structuredClone(cache.handle))).toThrow(expect.objectContaining(refused) as Error)
    expect(() => ConcurrentCache.attach(map.handle as never)).toThrow(
      expect.objectContaining({
        ...refused,
        message: expect.stringContaining('ConcurrentMap.attach') as string,
      }) as Error,
    )
    const format = expect.objectContaining({ code: 'ERR_MAPSAFE_FORMAT' }) as Error
    expect(() => ConcurrentMap.attach({ ...cache.handle, kind: 'mapsafe.map' })).toThrow(format)
    expect(() => ConcurrentCache.attach({ ...map.handle, kind: 'mapsafe.cache' })).toThrow(format)
    using again = ConcurrentCache.attach<string, number>(structuredClone(cache.handle))
    expect(again).toBeInstanceOf(ConcurrentMap)
  })
})
