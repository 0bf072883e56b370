import { setTimeout } from 'node:timers/promises'
import { ConcurrentCache, ConcurrentMap } from 'mapsafe'
import { expect, test } from 'vitest'
import { openCache, type CacheSetup } from '../../demo/caches.js'
import { openLoadingCache } from '../../demo/loading-caches.js'
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

test('loading caches load once for all who wait: of one worker the private ones, of all the shared one', async () => {
  const shared = new ConcurrentCache<string, Session>({ maxBytes: 2 ** 20 })
  const loadingSetups: [CacheSetup, number][] = [
    [{ kind: 'shared', handle: shared.handle }, 1],
    [{ kind: 'private', capacity: 2 }, 2],
  ]
  for (const [setup, expected] of loadingSetups) {
    const database = openDatabase()
    let loads = 0
    const load = async (id: string): Promise<Session> => {
      loads++
      await setTimeout(10)
      return database.load(keys.indexOf(id))
    }
    const [mine, yours] = [openLoadingCache(setup, load), openLoadingCache(setup, load)]
    const got = await Promise.all([mine.get('a'), mine.get('a'), yours.get('a'), yours.get('a')])
    expect(got.map(({ version }) => version)).toEqual([0, 0, 0, 0])
    expect(loads, setup.kind).toBe(expected)
    mine.put('a', database.change(0))
    expect((await mine.get('a')).version).toBe(1)
    expect((await yours.get('a')).version).toBe(setup.kind === 'shared' ? 1 : 0)
  }
})

test('a change that comes while its session is loaded is not lost', async () => {
  const shared = new ConcurrentCache<string, Session>({ maxBytes: 2 ** 20 })
  for (const setup of [
    { kind: 'shared', handle: shared.handle },
    { kind: 'private', capacity: 2 },
  ] as CacheSetup[]) {
    const database = openDatabase()
    const cache = openLoadingCache(setup, async (id) => {
      const session = database.load(keys.indexOf(id))
      await setTimeout(20)
      return session
    })
    const loading = cache.get('b')
    await setTimeout(5)
    cache.put('b', database.change(1))
    await loading
    expect((await cache.get('b')).version, setup.kind).toBe(1)
  }
})
