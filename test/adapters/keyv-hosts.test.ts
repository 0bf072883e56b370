import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { createCache, type Cache } from 'cache-manager'
import { Cacheable } from 'cacheable'
import Keyv from 'keyv'
import { describe, expect, test } from 'vitest'
import { KeyvStore } from '../../src/adapters/keyv5.js'
import { advanceClock, ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { workerCode } from '../support/worker-code.js'
import type { KeyvOrder } from './keyv.program.js'

const code = workerCode(new URL('keyv.program.ts', import.meta.url))

describe.each(lineups)('hosts of Keyv 5 on a cache ($name)', (lineup) => {
  function open(): { cache: ConcurrentCache<string, unknown>; keyvs: Keyv[] } {
    const cache = new ConcurrentCache<string, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    const other = ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) })
    const keyvs = [cache, other].map((each) => {
      const keyv = new Keyv({ store: new KeyvStore(each) })
      return keyv.on('error', (error: unknown) => expect.fail(`Keyv met ${String(error)}`))
    })
    return { cache, keyvs }
  }

  describe('cache-manager', () => {
    function managers(ttl?: number): { cache: ConcurrentCache<string, unknown>; a: Cache; b: Cache } {
      const { cache, keyvs } = open()
      const [a, b] = keyvs.map((keyv) => createCache({ stores: [keyv], ...(ttl === undefined ? {} : { ttl }) }))
      return { cache, a, b }
    }

    test('wrap asks once, and the other thread finds what it stored', async () => {
      const { cache, a, b } = managers()
      let asked = 0
      const load = (): { user: string } => ({ user: `ada ${++asked}` })
      expect(await a.wrap('user', load, 100_000)).toEqual({ user: 'ada 1' })
      expect(await b.wrap('user', load, 100_000)).toEqual({ user: 'ada 1' })
      expect(asked).toBe(1)
      advanceClock(cache, 200_000)
      expect(await b.wrap('user', load, 100_000)).toEqual({ user: 'ada 2' })
      expect(await a.get('user')).toEqual({ user: 'ada 2' })
    })

    test('ttl: of the manager, of a call, of a function; it tells when an entry ends', async () => {
      const { cache, a, b } = managers(500_000)
      await a.set('default', 1)
      await a.set('short', 1, 100_000)
      await a.wrap('computed', () => 7, { ttl: (value) => value * 100_000 })
      const left = async (key: string): Promise<number> =>
        Math.round(((await b.ttl(key))! - Date.now()) / 10_000) * 10_000
      expect(await Promise.all(['default', 'short', 'computed'].map(left))).toEqual([500_000, 100_000, 700_000])
      expect(await b.ttl('none')).toBe(undefined)
      advanceClock(cache, 200_000)
      expect(await b.mget(['default', 'short', 'computed'])).toEqual([1, undefined, 7])
      advanceClock(cache, 400_000)
      expect(await b.mget(['default', 'short', 'computed'])).toEqual([undefined, undefined, 7])
      expect([...cache.keys()]).toEqual(['keyv:computed'])
    })

    test('many keys, del, mdel and clear', async () => {
      const { cache, a, b } = managers()
      await a.mset([
        { key: 'a', value: 1 },
        { key: 'b', value: 2, ttl: 100_000 },
        { key: 'c', value: null },
      ])
      expect(await b.mget(['a', 'b', 'c', 'd'])).toEqual([1, 2, null, undefined])
      advanceClock(cache, 200_000)
      expect(await b.get('b')).toBe(undefined)
      await b.del('a')
      expect(await a.get('a')).toBe(undefined)
      await b.mset(['x', 'y'].map((key) => ({ key, value: key })))
      await a.mdel(['x', 'y'])
      expect(await b.mget(['x', 'y'])).toEqual([undefined, undefined])
      await b.clear()
      expect([...cache.keys()]).toEqual([])
    })
  })

  describe('cacheable', () => {
    test('as its second store: what one thread stored, the other finds, and has then near', async () => {
      const { cache, keyvs } = open()
      const [a, b] = keyvs.map((secondary) => new Cacheable({ secondary, ttl: 500_000 }))
      await a.set('user', { name: 'ada' })
      expect(await b.get('user')).toEqual({ name: 'ada' })
      await b.set('short', 1, 100_000)
      expect(await a.get('short')).toBe(1)
      advanceClock(cache, 600_000)
      expect([...cache.keys()]).toEqual([])
    })

    test('as its first store: a deletion is seen at once', async () => {
      const { keyvs } = open()
      const [a, b] = keyvs.map((primary) => new Cacheable({ primary }))
      await a.set('user', 1)
      expect(await b.get('user')).toBe(1)
      await b.delete('user')
      expect(await a.get('user')).toBe(undefined)
      await a.setMany([
        { key: 'x', value: 1 },
        { key: 'y', value: 2, ttl: '1h' },
      ])
      expect(await b.getMany(['x', 'y', 'z'])).toEqual([1, 2, undefined])
      expect(await a.has('y')).toBe(true)
      await b.clear()
      expect(await a.getMany(['x', 'y'])).toEqual([undefined, undefined])
    })

    test('getOrSet asks once for both threads, one after the other', async () => {
      const { keyvs } = open()
      const [a, b] = keyvs.map((primary) => new Cacheable({ primary }))
      let asked = 0
      const load = (): Promise<number> => Promise.resolve(++asked)
      expect(await a.getOrSet('key', load, { ttl: 100_000 })).toBe(1)
      expect(await b.getOrSet('key', load, { ttl: 100_000 })).toBe(1)
    })
  })

  test('two workers with namespaces of their own find what is theirs, and the main thread both', async () => {
    const { cache } = open()
    const workers = ['users', 'pages'].map((namespace, i) => {
      const order: KeyvOrder = { handle: cache.handle, engine: lineup.engineOf(i), namespace, entries: 200 }
      return new Worker(code, { workerData: order })
    })
    const told = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number))
    await Promise.all(workers.map((worker) => worker.terminate()))
    expect(told).toEqual([200, 200])
    const users = new Keyv({ store: new KeyvStore(cache), namespace: 'users' })
    const pages = new Keyv({ store: new KeyvStore(cache), namespace: 'pages' })
    expect([await users.get('k7'), await pages.get('k7')]).toEqual(['users 7', 'pages 7'])
    await users.clear()
    expect([await users.has('k7'), await pages.has('k7'), cache.size]).toEqual([false, true, 200])
    expect(cache.verify().problems).toEqual([])
  })
})
