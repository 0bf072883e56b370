import { expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type ConcurrentCacheOptions } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { Scratch } from '../support/scratch.js'

const TTL = 1_000_000
const refused = (code: string): Error => expect.objectContaining({ code }) as Error

test('a cache in a file keeps its settings and its expiries', () => {
  using scratch = new Scratch()
  const file = scratch.file()
  const open = (options: ConcurrentCacheOptions = {}): ConcurrentCache<string, number> =>
    new ConcurrentCache<string, number>({ file, ...options })
  const first = open({ maxBytes: 2 ** 20, ttl: TTL, maxEntries: 1000 })
  first.set('default', 1).set('long', 1, { ttl: TTL * 2 })
  const { expiresAt } = first.getEntry('default')!
  first.close()

  using again = open()
  expect(again.getEntry('default')).toMatchObject({ value: 1, expiresAt })
  again.set('new', 2)
  expect(again.getEntry('new')!.expiresAt).toBeGreaterThan(Date.now() + TTL / 2)
  open({ ttl: TTL, maxEntries: 1000 }).close()
  using attached = ConcurrentCache.attach<string, number>(again.handle)
  new Clock(again.handle).advance(TTL * 1.5)
  for (const cache of [again, attached]) expect([...cache.keys()]).toEqual(['long'])

  for (const options of [{ ttl: TTL + 1 }, { ttl: Infinity }, { maxEntries: 999 }]) {
    expect(() => open(options)).toThrow(refused('ERR_MAPSAFE_OPTIONS'))
  }
  expect(() => new ConcurrentMap({ file })).toThrow(refused('ERR_MAPSAFE_FORMAT'))
  expect(() => ConcurrentMap.attach({ ...again.handle, kind: 'mapsafe.map' })).toThrow(refused('ERR_MAPSAFE_FORMAT'))
})

test('a map in a file is not opened as a cache', () => {
  using scratch = new Scratch()
  const file = scratch.file()
  using map = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20 })
  map.set('key', 1)
  expect(() => new ConcurrentCache({ file })).toThrow(refused('ERR_MAPSAFE_FORMAT'))
  expect(() => new ConcurrentCache({ file, ttl: 1000 })).toThrow(refused('ERR_MAPSAFE_FORMAT'))
  expect([...map]).toEqual([['key', 1]])
})
