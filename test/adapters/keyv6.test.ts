import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { KeyvStore } from '../../src/adapters/keyv.js'
import { advanceClock, ConcurrentCache } from '../../src/index.js'
import { fetched } from '../support/fetched.js'
import { lineups } from '../support/run.js'

/** What these tests use of a Keyv 6, which does not say that it runs on Node 20, but does. */
interface Keyv {
  readonly store: unknown
  on(name: 'error', listener: (error: unknown) => void): unknown
  get(key: string): Promise<unknown>
  getMany(keys: string[]): Promise<unknown[]>
  has(key: string): Promise<boolean>
  hasMany(keys: string[]): Promise<boolean[]>
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): Promise<unknown>
  delete(key: string): Promise<boolean>
  deleteMany(keys: string[]): Promise<boolean[]>
  clear(): Promise<void>
  iterator(): AsyncIterable<[string, unknown]>
}

const folder = fetched('keyv@6.1.0')
if (folder === undefined) console.warn('Keyv 6 cannot be fetched: its tests are left out')
const { Keyv } =
  folder === undefined
    ? ({} as never)
    : ((await import(pathToFileURL(createRequire(join(folder, 'x.js')).resolve('keyv')).href)) as {
        Keyv: new (options: object) => Keyv
      })

describe.skipIf(folder === undefined).each(lineups)('a Keyv 6 on a cache ($name)', (lineup) => {
  function open(options: object = {}): [Keyv, Keyv, ConcurrentCache<string, unknown>] {
    const cache = new ConcurrentCache<string, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    const other = ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) })
    const [a, b] = [cache, other].map((each) => {
      const keyv = new Keyv({ ...options, store: new KeyvStore(each) })
      keyv.on('error', (error: unknown) => expect.fail(`Keyv met ${String(error)}`))
      return keyv
    })
    return [a, b, cache]
  }

  test('uses the store itself, and stores, finds, tells and deletes, one key and many', async () => {
    const [a, b, cache] = open()
    expect(a.store).toBeInstanceOf(KeyvStore)
    expect(await a.get('key')).toBe(undefined)
    expect(await a.set('key', { deep: [1, null, 'x'] })).toBe(true)
    expect(await b.get('key')).toEqual({ deep: [1, null, 'x'] })
    expect([await b.has('key'), await b.has('none')]).toEqual([true, false])
    expect([await b.delete('key'), await a.delete('key')]).toEqual([true, false])
    await a.setMany([
      { key: 'one', value: 1 },
      { key: 'two', value: 2 },
    ])
    expect(await b.getMany(['one', 'none', 'two'])).toEqual([1, undefined, 2])
    expect(await b.hasMany(['one', 'none'])).toEqual([true, false])
    expect(await b.deleteMany(['one', 'none', 'two'])).toEqual([true, false, true])
    expect(cache.size).toBe(0)
  })

  test('entries expire in the cache, those of a batch each at its time', async () => {
    const [a, b, cache] = open()
    await a.set('short', 1, 100_000)
    await a.set('for ever', 1)
    await a.setMany([
      { key: 'first', value: 1, ttl: 100_000 },
      { key: 'second', value: 2, ttl: 500_000 },
      { key: 'third', value: 3 },
    ])
    const keys = ['short', 'for ever', 'first', 'second', 'third']
    expect(await b.hasMany(keys)).toEqual([true, true, true, true, true])
    advanceClock(cache, 200_000)
    expect(await b.hasMany(keys)).toEqual([false, true, false, true, true])
    advanceClock(cache, 400_000)
    expect(await b.hasMany(keys)).toEqual([false, true, false, false, true])
    expect([...cache.keys()].sort()).toEqual(['for ever', 'third'])
    const store = new KeyvStore(cache)
    await store.set('past', 1, 0)
    expect(await store.has('past')).toBe(false)
  })

  test('namespaces share a cache, iterate over and clear only what is theirs', async () => {
    const [users, , cache] = open({ namespace: 'users' })
    const pages = new Keyv({ namespace: 'pages', store: new KeyvStore(cache) })
    for (let i = 0; i < 300; i++) await users.set(`u${i}`, i)
    await pages.set('u1', 'a page')
    expect([await users.get('u1'), await pages.get('u1')]).toEqual([1, 'a page'])
    const met = new Map<string, number>()
    for await (const [key, value] of users.iterator()) met.set(key, value as number)
    expect(met).toEqual(new Map(Array.from({ length: 300 }, (_, i) => [`u${i}`, i])))
    await users.clear()
    expect([...cache.keys()]).toEqual(['pages::u1'])
    await new Keyv({ store: new KeyvStore(cache) }).clear()
    expect(cache.size).toBe(0)
  })

  test('without Keyv’s serializing, values keep their types', async () => {
    const [a, b] = open({ serialization: false })
    const value = { at: new Date(5), tags: new Set(['x']), big: 2n ** 70n }
    await a.set('key', value, 60_000)
    expect(await b.get('key')).toEqual(value)
  })
})
