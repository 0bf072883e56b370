import { beforeEach, describe, expect, test } from 'vitest'
import { KeyvStore } from '../../src/adapters/keyv.js'
import { advanceClock, ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'

/**
 * What Keyv 6 asks of every store, rule by rule; its own suite is not published. With a store of each of two threads, so
 * that each rule holds for what the other one did.
 */
describe.each(lineups)('the rules of Keyv 6 for stores ($name)', (lineup) => {
  let cache: ConcurrentCache<string, unknown>
  let store: KeyvStore
  let other: KeyvStore
  beforeEach(() => {
    cache = new ConcurrentCache({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    store = new KeyvStore(cache)
    other = new KeyvStore(ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) }))
  })
  const at = (milliseconds: number): number => Date.now() + milliseconds

  test('every method gives a promise', async () => {
    const given = [
      store.set('key', 1),
      store.setMany([]),
      store.get('key'),
      store.getMany([]),
      store.has('key'),
      store.hasMany([]),
      store.delete('key'),
      store.deleteMany([]),
      store.clear(),
    ]
    for (const each of given) expect(each).toBeInstanceOf(Promise)
    await Promise.all(given)
    expect(typeof store.iterator()[Symbol.asyncIterator]).toBe('function')
  })

  test('errors are rejections', async () => {
    cache.close()
    const closed = { code: 'ERR_MAPSAFE_CLOSED' }
    await expect(store.get('key')).rejects.toMatchObject(closed)
    await expect(store.set('key', 1)).rejects.toMatchObject(closed)
    await expect(store.deleteMany(['key'])).rejects.toMatchObject(closed)
    await expect(store.clear()).rejects.toMatchObject(closed)
    await expect(store.iterator().next()).rejects.toMatchObject(closed)
  })

  test('it says that it takes the time at which an entry expires', () => {
    expect(store.capabilities).toMatchObject({ compatible: true, store: 'keyvStorage', expires: true })
  })

  test('a value comes back; what is not there is undefined', async () => {
    for (const value of ['text', '', 0, false, null, { deep: [1] }, new Uint8Array([0, 255])]) {
      expect(await store.set('key', value)).toBe(true)
      expect(await other.get('key')).toEqual(value)
      expect(await other.has('key')).toBe(true)
    }
    expect(await store.get('none')).toBe(undefined)
    expect(await store.has('none')).toBe(false)
  })

  test('delete says whether there was an entry', async () => {
    await store.set('key', 1)
    expect([await other.delete('key'), await store.delete('key')]).toEqual([true, false])
    expect([await store.get('key'), await store.has('key')]).toEqual([undefined, false])
  })

  test('clear takes all', async () => {
    await store.setMany(['a', 'b'].map((key) => ({ key, value: key })))
    await other.clear()
    expect(await store.getMany(['a', 'b'])).toEqual([undefined, undefined])
  })

  test('many keys, in their order; none at all', async () => {
    const entries = ['a', 'b', 'c'].map((key, value) => ({ key, value }))
    expect(await store.setMany(entries)).toEqual([true, true, true])
    expect(await other.getMany(['c', 'none', 'a'])).toEqual([2, undefined, 0])
    expect(await other.hasMany(['c', 'none', 'a'])).toEqual([true, false, true])
    expect(await other.deleteMany(['c', 'none', 'a'])).toEqual([true, false, true])
    expect(await store.deleteMany(['c', 'a'])).toEqual([false, false])
    expect(await store.getMany(['a', 'b', 'c'])).toEqual([undefined, 1, undefined])
    expect(await store.setMany([])).toEqual([])
    expect(await store.getMany([])).toEqual([])
    expect(await store.hasMany([])).toEqual([])
    expect(await store.deleteMany([])).toEqual([])
  })

  test('an entry is absent from its time on, for get, has, many and the iterator', async () => {
    await store.set('key', 1, at(100_000))
    await store.setMany([
      { key: 'first', value: 1, expires: at(100_000) },
      { key: 'second', value: 2 },
    ])
    const keys = ['key', 'first', 'second']
    expect(await other.getMany(keys)).toEqual([1, 1, 2])
    advanceClock(cache, 200_000)
    expect([await other.get('key'), await other.has('key')]).toEqual([undefined, false])
    expect(await other.hasMany(keys)).toEqual([false, false, true])
    const met: unknown[] = []
    for await (const entry of other.iterator()) met.push(entry)
    expect(met).toEqual([['second', 2]])
  })

  test('a time that has passed is taken, and leaves nothing', async () => {
    for (const expires of [at(-500), 1, 0, -1]) {
      await store.set('key', 'before')
      expect(await store.set('key', 'late', expires)).toBe(true)
      expect([await other.get('key'), await other.has('key')]).toEqual([undefined, false])
    }
  })

  test('a namespace is set and unset; keys of others are neither seen nor cleared', async () => {
    expect(store.namespace).toBe(undefined)
    await store.set('key', 'bare')
    store.namespace = 'one'
    other.namespace = 'two'
    await store.set('key', 1)
    await other.set('key', 2)
    await other.set('more', 2)
    expect([await store.get('key'), await other.get('key'), await store.get('more')]).toEqual([1, 2, undefined])
    const met: unknown[] = []
    for await (const entry of store.iterator()) met.push(entry)
    expect(met).toEqual([['key', 1]])
    await other.clear()
    expect([await store.get('key'), await other.has('key')]).toEqual([1, false])
    store.namespace = undefined
    expect(await store.get('key')).toBe('bare')
  })

  test('the iterator of an empty store ends', async () => {
    store.namespace = 'empty'
    expect(await store.iterator().next()).toEqual({ done: true, value: undefined })
  })
})
