import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { openEngine } from '../../src/engine/open.js'
import { Store } from '../../src/store/store.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'

const SLIDING_TTL = 1000
const BAD = expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error

type Cache = ConcurrentCache<Key, unknown>

describe.each(nearAndFarLineups)('slidingTtl ($name)', (lineup) => {
  let map: Cache
  let cache: Cache
  /** Another cache object, to which only the region leads: it stands for another thread. */
  let other: Cache
  let clock: Clock
  beforeEach(() => {
    map = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20, slidingTtl: SLIDING_TTL })
    cache = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(0), ...lineup.attach })
    other = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(1), ...lineup.attach })
    clock = new Clock(map.handle)
  })
  afterEach(() => {
    cache.close()
    other.close()
    expect(map.verify().problems).toEqual([])
    map.close()
  })
  const version = (key: Key): number | undefined => map.peekEntry(key)?.version

  test('an entry lives as long as it is read, and no longer', () => {
    cache.set('key', 'value')
    for (let i = 0; i < 30; i++) {
      clock.advance(SLIDING_TTL * 0.6)
      expect((i % 2 === 0 ? cache : other).get('key')).toBe('value')
    }
    clock.advance(SLIDING_TTL * 0.95)
    expect(cache.get('key')).toBe('value')
    clock.advance(SLIDING_TTL + 1)
    expect(other.get('key')).toBeUndefined()
    expect(cache.get('key')).toBeUndefined()
  })

  test('is renewed at most once in a tenth of the time, near hits included', () => {
    cache.set('key', 'value')
    const versions = new Set([version('key')])
    const start = clock.now()
    for (let i = 0; i < 1000; i++) {
      clock.advance(SLIDING_TTL / 100)
      for (const each of [cache, cache, other]) expect(each.get('key')).toBe('value')
      versions.add(version('key'))
    }
    // Ten lifetimes passed, and the time that the test took.
    const tenths = (clock.now() - start) / (SLIDING_TTL / 10)
    expect(versions.size).toBeGreaterThan(80)
    expect(versions.size).toBeLessThanOrEqual(tenths + 2)
  })

  test.each<[string, boolean, (by: Cache) => unknown]>([
    ['get', true, (by) => by.get('key')],
    ['getEntry', true, (by) => by.getEntry('key')],
    ['getMany', true, (by) => by.getMany(['none', 'key'])],
    ['getEntries', true, (by) => by.getEntries(['none', 'key'])],
    ['getOrInsert', true, (by) => by.getOrInsert('key', 1)],
    ['getOrInsertComputed', true, (by) => by.getOrInsertComputed('key', () => 1)],
    ['getOrLoad', true, (by) => by.getOrLoad('key', () => 1)],
    ['getManyOrLoad', true, (by) => by.getManyOrLoad(['key'], () => [])],
    ['update', true, (by) => by.update('key', (value) => value)],
    ['touch', true, (by) => by.touch('key')],
    ['has', false, (by) => by.has('key')],
    ['hasMany', false, (by) => by.hasMany(['key'])],
    ['peek', false, (by) => by.peek('key')],
    ['peekEntry', false, (by) => by.peekEntry('key')],
    ['iteration', false, (by) => [...by]],
    ['scan', false, (by) => by.scan()],
    ['snapshot', false, (by) => [...by.snapshot()]],
    ['deleteWhere', false, (by) => by.deleteWhere(() => false)],
    ['a condition that does not hold', false, (by) => by.setIfAbsent('key', 1)],
  ])('%s: %j', async (_, renews, use) => {
    for (const each of [cache, other]) {
      each.set('key', 'value')
      for (let i = 0; i < 3; i++) each.get('key')
      clock.advance(SLIDING_TTL * 0.9)
      await use(each)
      clock.advance(SLIDING_TTL * 0.5)
      expect(each.get('key')).toBe(renews ? 'value' : undefined)
      expect(other.has('key')).toBe(renews)
    }
  })

  test.each<[string, unknown]>([
    ['a string', 'value'],
    ['a wide string', 'value \u{1F600}'],
    ['a number', 1.5],
    ['an integer', 7],
    ['a bigint', 10n ** 30n],
    ['null', null],
    ['undefined', undefined],
    ['true', true],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['an object', { a: [1, { b: 'c' }] }],
    ['a Map', new Map([[1, { a: 1 }]])],
    ['a long string', 'x'.repeat(200_000)],
    ['a large object', Array.from({ length: 20_000 }, (_, i) => `item ${i}`)],
  ])('%s stays what it is', (_, value) => {
    for (const key of ['key', 5, new Uint8Array([9])]) {
      cache.set(key, value)
      for (let i = 0; i < 5; i++) {
        clock.advance(SLIDING_TTL * 0.7)
        expect(cache.get(key)).toEqual(value)
        expect(other.getEntry(key)?.value).toEqual(value)
        expect(other.has(key)).toBe(true)
      }
    }
  })

  test('what a read returns with its value is of the renewed entry', () => {
    cache.set('key', 'value')
    for (const each of [cache, other]) {
      for (const read of [() => each.getEntry('key')!, () => each.getEntries(['key'])[0]!]) {
        clock.advance(SLIDING_TTL * 0.5)
        const entry = read()
        expect(entry).toEqual({ value: 'value', version: version('key'), expiresAt: map.peekEntry('key')!.expiresAt })
        expect(each.setIfVersion('key', 'value', entry.version)).toBe(true)
      }
    }
  })

  test('a function that decides may read an entry that is due', () => {
    cache.set('read', 'value')
    cache.set('key', 1)
    clock.advance(SLIDING_TTL * 0.8)
    const before = version('read')
    const seen: unknown[] = []
    cache.update('key', () => seen.push(cache.get('read'), cache.getEntry('read')?.value, cache.getMany(['read'])[0]))
    expect(seen).toEqual(['value', 'value', 'value'])
    expect(version('read')).toBe(before)
  })

  test('entries with a lifetime of their own are not renewed, others of a cache without slidingTtl may be', () => {
    cache.set('ttl', 1, { ttl: SLIDING_TTL })
    cache.set('at', 1, { expiresAt: Date.now() + SLIDING_TTL })
    cache.set('ever', 1, { ttl: Infinity })
    cache.set('longer', 1, { slidingTtl: 3 * SLIDING_TTL })
    cache.increment('counter')
    clock.advance(SLIDING_TTL * 0.9)
    expect(other.getMany(['ttl', 'at', 'counter'])).toEqual([1, 1, 1])
    clock.advance(SLIDING_TTL * 0.3)
    expect(other.getMany(['ttl', 'at', 'counter', 'longer', 'ever'])).toEqual([undefined, undefined, undefined, 1, 1])
    clock.advance(SLIDING_TTL * 2.9)
    expect(other.getMany(['longer', 'ever'])).toEqual([1, 1])
    const plain = new ConcurrentCache<Key, number>({ engine: lineup.engineOf(1), maxBytes: 2 ** 20, ttl: 50_000 })
    const plainClock = new Clock(plain.handle)
    plain.setMany([
      ['slides', 1, { slidingTtl: SLIDING_TTL }],
      ['fixed', 2],
      ['slides too', 3, { slidingTtl: SLIDING_TTL }],
    ])
    plain.set('longer', 4, { slidingTtl: 2 * SLIDING_TTL })
    for (let i = 0; i < 100; i++) {
      plainClock.advance(SLIDING_TTL * 0.6)
      expect(plain.getMany(['slides', 'slides too', 'longer'])).toEqual([1, 3, 4])
    }
    expect(plain.get('fixed')).toBeUndefined()
    plain.close()
  })

  test.each<[string, (by: Cache) => unknown]>([
    ['set', (by) => by.set('key', 2)],
    ['setIfAbsent', (by) => (by.delete('key'), by.setIfAbsent('key', 2))],
    ['setIfVersion', (by) => by.setIfVersion('key', 2, version('key')!)],
    ['replace', (by) => by.replace('key', 2)],
    ['swap', (by) => by.swap('key', 2)],
    ['compareAndSwap', (by) => by.compareAndSwap('key', 1, 2)],
    [
      'setMany',
      (by) =>
        by.setMany([
          ['other', 3],
          ['key', 2],
          ['third', { a: 1 }],
        ]),
    ],
    ['update', (by) => by.update('key', () => 2)],
    ['getOrInsert', (by) => (by.delete('key'), by.getOrInsert('key', 2))],
    ['a load', (by) => (by.delete('key'), by.getOrLoad('key', () => 2))],
  ])('an entry that %s wrote is renewed by reads', async (_, write) => {
    cache.set('key', 1)
    await write(other)
    for (let i = 0; i < 5; i++) {
      clock.advance(SLIDING_TTL * 0.7)
      expect(cache.get('key')).toBe(2)
    }
    clock.advance(SLIDING_TTL + 1)
    expect(cache.get('key')).toBeUndefined()
  })

  test('is swept like any other', () => {
    for (let i = 0; i < 100; i++) cache.set(i, `value ${i}`)
    clock.advance(SLIDING_TTL * 0.9)
    for (let i = 0; i < 50; i++) expect(cache.get(i)).toBe(`value ${i}`)
    const engine = openEngine(map.handle.region!, lineup.engineOf(1))
    clock.advance(SLIDING_TTL * 0.5)
    for (let i = 0; i < 3; i++) engine.sweep(0, 10_000)
    expect(engine.verify()).toEqual([])
    clock.advance(2048)
    engine.sweep(0, 10_000)
    expect(map.size).toBe(0)
    engine.close()
  })

  test('what another thread saw expired before the renewal is not brought back', () => {
    const engine = openEngine(map.handle.region!, lineup.engineOf(0))
    const store = new Store<unknown>(engine, true, 'attach' in lineup ? 0 : 8192)
    const put = engine.put.bind(engine)
    for (const change of ['expires', 'is written', 'is deleted']) {
      cache.set('key', 'value')
      clock.advance(SLIDING_TTL * 0.95)
      engine.put = (...args) => {
        if (change === 'expires') clock.advance(SLIDING_TTL * 0.1)
        else if (change === 'is written') other.set('key', 'written', { ttl: 5 })
        else other.delete('key')
        expect(other.get('key')).toBe(change === 'is written' ? 'written' : undefined)
        return put(...args)
      }
      expect(store.get('key')).toBe('value')
      engine.put = put
      expect(other.get('key')).toBe(change === 'is written' ? 'written' : undefined)
      expect(store.get('key')).toBe(change === 'is written' ? 'written' : undefined)
      clock.advance(10)
      expect(store.get('key')).toBeUndefined()
    }
    store.close()
  })

  test.each([
    { slidingTtl: 0 },
    { slidingTtl: -1 },
    { slidingTtl: Infinity },
    { slidingTtl: NaN },
    { slidingTtl: '5' },
    { slidingTtl: 5, ttl: 5 },
    { slidingTtl: 5, expiresAt: 5 },
  ])('refuses %j', (options) => {
    const wrong = options as never
    expect(() => cache.set('key', 1, wrong)).toThrow(BAD)
    expect(() => cache.setMany([['key', 1, wrong]])).toThrow(BAD)
    expect(() => cache.touch('key', wrong)).toThrow(BAD)
    expect(() => new ConcurrentCache(wrong)).toThrow(BAD)
    expect(cache.has('key')).toBe(false)
  })

  test('refuses it for counters and maps', () => {
    expect(() => cache.increment('key', 1, { slidingTtl: 5 } as never)).toThrow(BAD)
    expect(() => cache.incrementEntry('key', 1, { slidingTtl: 5 } as never)).toThrow(BAD)
    expect(() => new ConcurrentMap({ slidingTtl: 5 } as never)).toThrow(BAD)
    expect(cache.has('key')).toBe(false)
  })
})

test.skipIf(process.platform === 'win32')('a file keeps the time it was made with', () => {
  using scratch = new Scratch()
  const file = scratch.file('sliding')
  const made = new ConcurrentCache({ file, maxBytes: 2 ** 20, slidingTtl: SLIDING_TTL })
  const again = new ConcurrentCache<string, number>({ file, slidingTtl: SLIDING_TTL })
  again.set('key', 1)
  const clock = new Clock(again.handle)
  for (let i = 0; i < 5; i++) {
    clock.advance(SLIDING_TTL * 0.7)
    expect(again.get('key')).toBe(1)
  }
  expect(() => new ConcurrentCache({ file, slidingTtl: 5 })).toThrow(/slidingTtl asks for 5.*with 1000/)
  again.close()
  made.close()
})
