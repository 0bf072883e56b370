import { ConcurrentMap } from 'mapsafe'
import { expect, test } from 'vitest'
import { openCache, type CacheSetup } from '../../demo/caches.js'
import { SessionDatabase, type Session } from '../../demo/session.js'

const keys = ['a', 'b']
const openDatabase = (): SessionDatabase => new SessionDatabase(SessionDatabase.allocate(keys.length), keys)
const setups: [string, () => CacheSetup][] = [
  ['shared', () => ({ kind: 'shared', handle: new ConcurrentMap<string, Session>({ maxBytes: 2 ** 20 }).handle })],
  ['private', () => ({ kind: 'private', capacity: 2 })],
]

test.each(setups)('the %s cache never goes back to an older version', (_, setup) => {
  const database = openDatabase()
  const cache = openCache(setup())
  expect(cache.get('a')).toBeUndefined()

  const loaded = database.load(0)
  expect(cache.fill('a', loaded)).toEqual(loaded)
  const [first, second] = [database.change(0), database.change(0)]
  expect([loaded.version, first.version, second.version]).toEqual([0, 1, 2])
  cache.put('a', second)
  cache.put('a', first)
  expect(cache.get('a')).toEqual(second)
})

test('what one thread changed, the other sees in the shared cache and misses in its private one', () => {
  for (const [kind, setup] of setups) {
    const opened = setup()
    const [mine, yours] = [openCache(opened), openCache(opened)]
    const database = openDatabase()
    mine.fill('a', database.load(0))
    yours.fill('a', database.load(0))
    mine.put('a', database.change(0))
    expect(yours.get('a')?.version).toBe(kind === 'shared' ? 1 : 0)
  }
})

test('what is published never falls back', () => {
  const database = openDatabase()
  database.publish(1, 5)
  database.publish(1, 3)
  expect(database.published(1)).toBe(5)
  expect(database.published(0)).toBe(0)
})
