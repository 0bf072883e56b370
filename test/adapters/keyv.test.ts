import { setTimeout as sleep } from 'node:timers/promises'
import { Keyv, type KeyvOptions } from 'keyv'
import { describe, expect, test } from 'vitest'
import { KeyvStore } from '../../src/adapters/keyv.js'
import { KeyvStore as KeyvStore5 } from '../../src/adapters/keyv5.js'
import { advanceClock, ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'

function openKeyv(cache: ConcurrentCache<string, unknown>, options?: Omit<KeyvOptions, 'store'>): Keyv {
  return new Keyv({ ...options, store: new KeyvStore5(cache) })
}

/** What a Keyv that must not fail has met. */
function watched(keyv: Keyv): Keyv {
  return keyv.on('error', (error: unknown) => expect.fail(`Keyv met ${String(error)}`))
}

describe.each(lineups)('a Keyv on a cache ($name)', (lineup) => {
  const open = (): [ConcurrentCache<string, unknown>, ConcurrentCache<string, unknown>] => {
    const cache = new ConcurrentCache<string, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    return [cache, ConcurrentCache.attach(cache.handle, { engine: lineup.engineOf(1) })]
  }

  test('a cache itself, without the adapter, takes no ttl from Keyv, and says so', async () => {
    const [cache] = open()
    const errors: unknown[] = []
    const keyv = new Keyv({ store: cache }).on('error', (error) => errors.push(error))
    expect(await keyv.set('key', 1, 1000)).toBe(false)
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' })])
    expect(String(errors[0])).toContain('A Keyv takes the store of mapsafe/keyv or mapsafe/keyv5.')
  })

  test('stores, finds, tells and deletes, one key and many', async () => {
    const [cache, other] = open()
    const [a, b] = [watched(openKeyv(cache)), watched(openKeyv(other))]
    expect(await a.get('key')).toBe(undefined)
    expect(await a.has('key')).toBe(false)
    expect(await a.set('key', { deep: [1, null, 'x'] })).toBe(true)
    expect(await b.get('key')).toEqual({ deep: [1, null, 'x'] })
    expect(await b.has('key')).toBe(true)
    expect(await b.delete('key')).toBe(true)
    expect(await a.delete('key')).toBe(false)
    expect(await a.get('key')).toBe(undefined)

    await a.setMany([
      { key: 'one', value: 1 },
      { key: 'two', value: 2 },
    ])
    expect(await b.get(['one', 'none', 'two'])).toEqual([1, undefined, 2])
    expect(await b.has(['one', 'none'])).toEqual([true, false])
    expect(await b.delete(['one', 'two'])).toBe(true)
    expect(cache.size).toBe(0)
  })

  test('a value that was stored without a ttl stays, one with a ttl expires in the cache', async () => {
    const [cache, other] = open()
    const [a, b] = [watched(openKeyv(cache)), watched(openKeyv(other, { ttl: 500_000 }))]
    expect(await a.set('for ever', 1)).toBe(true)
    expect(await a.set('none', 1, 0)).toBe(true)
    expect(await a.set('short', 1, 100_000)).toBe(true)
    expect(await b.set('default', 1)).toBe(true)
    expect(await a.set('past', 1, 1)).toBe(true)
    await sleep(5)
    expect(await a.get('past')).toBe(undefined)
    advanceClock(cache, 200_000)
    expect(await Promise.all(['for ever', 'none', 'short', 'default'].map((key) => b.has(key)))).toEqual([
      true,
      true,
      false,
      true,
    ])
    advanceClock(cache, 400_000)
    expect(cache.has('keyv:default')).toBe(false)
    expect(await a.get(['for ever', 'none', 'short', 'default'])).toEqual([1, 1, undefined, undefined])
  })

  test('namespaces share a cache, and clear only what is theirs', async () => {
    const [cache, other] = open()
    const users = watched(openKeyv(cache, { namespace: 'users' }))
    const pages = watched(openKeyv(other, { namespace: 'pages' }))
    await users.set('a', 'user')
    await pages.set('a', 'page')
    await pages.set('b', 'page', 60_000)
    expect([await users.get('a'), await pages.get('a')]).toEqual(['user', 'page'])
    expect(await users.get('b')).toBe(undefined)
    expect([...cache.keys()].sort()).toEqual(['pages:a', 'pages:b', 'users:a'])
    await pages.clear()
    expect([...cache.keys()]).toEqual(['users:a'])
    expect(await users.get('a')).toBe('user')
  })

  test('the iterator meets the entries of its namespace, without the prefix', async () => {
    const [cache, other] = open()
    const users = watched(openKeyv(cache, { namespace: 'users' }))
    const pages = watched(openKeyv(other, { namespace: 'pages' }))
    for (let i = 0; i < 1000; i++) await users.set(`u${i}`, i, i % 2 === 0 ? undefined : 100_000)
    await pages.set('u1', 'of another namespace')
    const met = new Map<string, number>()
    for await (const [key, value] of users.iterator!(undefined)) {
      expect(met.has(key as string)).toBe(false)
      met.set(key as string, value as number)
    }
    expect(met).toEqual(new Map(Array.from({ length: 1000 }, (_, i) => [`u${i}`, i])))
    advanceClock(cache, 200_000)
    let left = 0
    for await (const entry of users.iterator!(undefined)) left += entry === undefined ? 0 : 1
    expect(left).toBe(500)
  })

  test('without Keyv’s serializing, values keep their types', async () => {
    const [cache, other] = open()
    const plain = { serialize: undefined, deserialize: undefined } as object
    const [a, b] = [watched(openKeyv(cache, plain)), watched(openKeyv(other, plain))]
    const value = { at: new Date(5), tags: new Set(['x']), big: 2n ** 70n }
    await a.set('key', value, 60_000)
    expect(await b.get('key')).toEqual(value)
  })
})

test('only a cache is taken', () => {
  const refused = expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error
  for (const given of [undefined, null, {}, new Map()]) {
    expect(() => new KeyvStore(given as never)).toThrow(refused)
    expect(() => new KeyvStore5(given as never)).toThrow(refused)
  }
})
