import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { nearAndFarLineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'

const TTL = 1_000_000
const JITTER = 0.2
const TIMES = 200

describe.each(nearAndFarLineups)('ttlJitter ($name)', (lineup) => {
  let map: ConcurrentCache<Key, number>
  let cache: ConcurrentCache<Key, number>
  beforeEach(() => {
    map = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 2 ** 20, ttl: TTL, ttlJitter: JITTER })
    cache = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(1), ...lineup.attach })
  })
  afterEach(() => {
    cache.close()
    map.close()
  })

  test.each<[string, number, (key: number) => unknown]>([
    ['set', TTL, (key) => cache.set(key, 1)],
    ['set with a ttl', 5 * TTL, (key) => cache.set(key, 1, { ttl: 5 * TTL })],
    ['setIfAbsent', TTL, (key) => cache.setIfAbsent(key, 1)],
    ['swap', TTL, (key) => cache.swap(key, 1)],
    ['getOrInsert', TTL, (key) => cache.getOrInsert(key, 1)],
    ['update', TTL, (key) => cache.update(key, () => 1)],
    ['touch', 2 * TTL, (key) => cache.set(key, 1).touch(key, 2 * TTL)],
    ['getOrLoad', TTL, (key) => cache.getOrLoad(key, () => 1)],
    ['getOrLoad with a ttl', 3 * TTL, (key) => cache.getOrLoad(key, () => 1, { ttl: 3 * TTL })],
    ['a loader', 4 * TTL, (key) => cache.getOrLoad(key, (_, { setTtl }) => (setTtl(4 * TTL), 1))],
    ['setMany', TTL, (key) => key === 0 && cache.setMany(Array.from({ length: TIMES }, (_, i) => [i, i]))],
  ])('%s: lifetimes are spread within the bound', async (_, ttl, write) => {
    const before = Date.now()
    for (let key = 0; key < TIMES; key++) await write(key)
    const after = Date.now()
    const ends = Array.from({ length: TIMES }, (_, key) => cache.getEntry(key)!.expiresAt!)
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(before + ttl * (1 - JITTER) - 2)
    expect(Math.max(...ends)).toBeLessThanOrEqual(after + ttl + 1)
    // Of 200 random ones some lie in each half, but for a chance of 2^-200.
    const middle = before + ttl * (1 - JITTER / 2)
    expect(ends.some((end) => end < middle)).toBe(true)
    expect(ends.some((end) => end > middle)).toBe(true)
    expect(new Set(ends).size).toBeGreaterThan(TIMES / 4)
  })

  test('times that are given, windows, and what never expires, are exact', () => {
    const before = Date.now()
    cache.set('given', 1, { expiresAt: before + TTL })
    cache.set('ever', 1, { ttl: Infinity })
    expect(cache.getEntry('given')!.expiresAt).toBe(before + TTL)
    expect(cache.getEntry('ever')!.expiresAt).toBeUndefined()
    for (let key = 0; key < 20; key++) {
      const { expiresAt } = cache.incrementEntry(key)
      expect(expiresAt).toBeGreaterThanOrEqual(before + TTL - 1)
      cache.increment(key, 1, { ttl: 2 * TTL, renew: true })
      expect(cache.getEntry(key)!.expiresAt).toBeGreaterThanOrEqual(before + 2 * TTL - 1)
    }
  })

  test.each([-0.1, 1.1, NaN, '0.1', null])('refuses %j', (ttlJitter) => {
    expect(() => new ConcurrentCache({ ttlJitter } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }),
    )
  })
})

test.skipIf(process.platform === 'win32')('a file keeps the jitter it was made with', () => {
  using scratch = new Scratch()
  const file = scratch.file('jitter')
  const made = new ConcurrentCache({ file, maxBytes: 2 ** 20, ttl: TTL, ttlJitter: JITTER })
  const again = new ConcurrentCache<string, number>({ file })
  for (let i = 0; i < TIMES; i++) again.set(`${i}`, i)
  const ends = Array.from({ length: TIMES }, (_, i) => again.getEntry(`${i}`)!.expiresAt!)
  expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(TTL * JITTER * 0.5)
  expect(() => new ConcurrentCache({ file, ttlJitter: 0.5 })).toThrow(/ttlJitter asks for 0.5.*with 0.2/)
  again.close()
  made.close()
})
