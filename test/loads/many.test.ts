import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key, type LoadOptions, type ManyLoadContext } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'

describe.each(nearAndFarLineups)('getManyOrLoad ($name)', (lineup) => {
  let map: ConcurrentCache<Key, unknown>
  let cache: ConcurrentCache<Key, unknown>
  /** Another cache object, to which only the region leads: it stands for another thread. */
  let other: ConcurrentCache<Key, unknown>
  /** What loaders were asked for, by call. */
  let asked: Key[][]
  beforeEach(() => {
    map = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    cache = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(0), ...lineup.attach })
    other = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(1), ...lineup.attach })
    asked = []
  })
  afterEach(() => {
    cache.close()
    other.close()
    expect(map.verify().problems).toEqual([])
    map.close()
  })
  const loads = (): number[] => {
    const { loads, loadFailures } = map.stats().counters
    return [loads, loadFailures]
  }
  /** Loads `value of <key>` for each key, in the opposite order. */
  const loader = async (keys: readonly Key[]): Promise<Map<Key, unknown>> => {
    asked.push([...keys])
    await sleep(10)
    return new Map(keys.toReversed().map((key) => [key, `value of ${String(key)}`]))
  }

  test('loads by one call what is missing, and returns all in the order of the keys', async () => {
    cache.set('b', 'stored')
    cache.get('b')
    expect(await cache.getManyOrLoad(['a', 'b', 'c', 'a', 1], loader)).toEqual([
      'value of a',
      'stored',
      'value of c',
      'value of a',
      'value of 1',
    ])
    expect(asked).toEqual([['a', 'c', 1]])
    expect(await other.getManyOrLoad(new Set(['c', 'b', 'a', 'd']), loader)).toEqual([
      'value of c',
      'stored',
      'value of a',
      'value of d',
    ])
    expect(asked).toEqual([['a', 'c', 1], ['d']])
    expect(other.getMany(['a', 'b', 'c', 'd'])).toEqual(['value of a', 'stored', 'value of c', 'value of d'])
    expect(loads()).toEqual([4, 0])
    expect(await cache.getManyOrLoad([], loader)).toEqual([])
    expect(await cache.getManyOrLoad(['a', 'b'], loader)).toEqual(['value of a', 'stored'])
    expect(asked).toHaveLength(2)
  })

  test('calls the loader at once', async () => {
    const loading = cache.getManyOrLoad(['a'], loader)
    expect(asked).toEqual([['a']])
    await loading
  })

  test('awaits what others load, and loads the rest', async () => {
    const single = cache.getOrLoad('a', () => sleep(30, 'single'))
    const first = cache.getManyOrLoad(['a', 'b'], loader)
    const second = other.getManyOrLoad(['c', 'b', 'a'], loader)
    const joined = other.getOrLoad('c', () => 'not run')
    expect(await Promise.all([single, first, second, joined])).toEqual([
      'single',
      ['single', 'value of b'],
      ['value of c', 'value of b', 'single'],
      'value of c',
    ])
    expect(asked).toEqual([['b'], ['c']])
    expect(loads()).toEqual([3, 0])
  })

  test('equal bytes are one key, and each place has a value of its own', async () => {
    const keys = [new Uint8Array([1]), new Uint8Array([1]), new Uint8Array([2])]
    const result = await cache.getManyOrLoad(keys, (missing) => {
      asked.push([...missing])
      return missing.map((key) => [new Uint8Array(key as Uint8Array), new Uint8Array([5])] as const)
    })
    expect(asked).toEqual([[keys[0], keys[2]]])
    expect(result).toEqual([new Uint8Array([5]), new Uint8Array([5]), new Uint8Array([5])])
    expect(result[0]).not.toBe(result[1])
  })

  test('a key without a value is undefined, stored nowhere, and loaded by calls of one key that wait', async () => {
    const some = async (keys: readonly Key[]): Promise<[Key, unknown][]> => {
      asked.push([...keys])
      await sleep(20)
      return keys.filter((key) => key !== 'none').map((key) => [key, key === 'nothing' ? undefined : 1])
    }
    const calls = [cache, other, cache].map((each) => each.getManyOrLoad(['a', 'none', 'nothing'], some))
    const single = other.getOrLoad('none', () => 'found')
    for (const values of await Promise.all(calls)) expect(values).toEqual([1, undefined, undefined])
    expect(asked).toEqual([['a', 'none', 'nothing']])
    expect(await single).toBe('found')
    expect(other.has('nothing')).toBe(true)
    expect(loads()).toEqual([4, 0])
    expect(await other.getManyOrLoad(['missing'], () => [])).toEqual([undefined])
    expect(cache.has('missing')).toBe(false)
    expect(cache.size).toBe(3)
  })

  test('a failure rejects all who wait, and is not kept', async () => {
    const error = new TypeError('down')
    const fails = async (keys: readonly Key[]): Promise<never> => {
      asked.push([...keys])
      await sleep(10)
      throw error
    }
    const calls = [
      cache.getManyOrLoad(['a', 'b'], fails),
      other.getManyOrLoad(['b'], fails),
      cache.getOrLoad('a', () => 'not run'),
    ]
    const [first, second, third] = await Promise.allSettled(calls)
    expect(first).toEqual({ status: 'rejected', reason: error })
    expect(second).toMatchObject({ status: 'rejected', reason: { name: 'TypeError', message: 'down' } })
    expect(third).toEqual({ status: 'rejected', reason: error })
    expect(loads()).toEqual([2, 2])
    expect(await other.getManyOrLoad(['a', 'b'], loader)).toEqual(['value of a', 'value of b'])
    const thrown = cache.getManyOrLoad(['x'], () => {
      throw error
    })
    await expect(thrown).rejects.toBe(error)
  })

  test('one value that is a rejected promise fails its key alone', async () => {
    const some = (keys: readonly Key[]): [Key, unknown][] =>
      keys.map((key) => [key, key === 'b' ? Promise.reject(new Error('b')) : sleep(5, key)])
    await expect(cache.getManyOrLoad(['a', 'b', 'c'], some)).rejects.toThrow('b')
    expect(await cache.getManyOrLoad(['a', 'c'], loader)).toEqual(['a', 'c'])
    expect(loads()).toEqual([3, 1])
  })

  test.each<[string, (keys: readonly Key[]) => unknown, string]>([
    ['nothing', () => undefined, 'returned undefined; expected an iterable of pairs'],
    ['a string', () => 'ab', 'returned "ab"; expected'],
    ['values alone', () => ['value'], 'returned "value" among its pairs'],
    ['a key that was not asked for', (keys) => [...keys, 'other'].map((key) => [key, 1]), 'a value for "other"'],
    ['a key of another type', () => [['7', 1]], 'a value for "7", which it was not asked for'],
    ['an object as a key', () => [[{}, 1]], 'which it was not asked for'],
    ['two values for a key', (keys) => [...keys, ...keys].map((key) => [key, 1]), 'two values for 7'],
    ['an iterator that throws', () => stopsMidway(), 'in the middle'],
  ])('a loader that returns %s fails for all keys and stores nothing', async (name, wrong, message) => {
    const calls = [cache.getManyOrLoad([7, 8], wrong as never), other.getManyOrLoad([8], wrong as never)]
    for (const one of await Promise.allSettled(calls)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining(message) as string } })
      if (!name.includes('throws')) expect(one).toMatchObject({ reason: { code: 'ERR_MAPSAFE_LOADER' } })
    }
    expect([cache.has(7), cache.has(8)]).toEqual([false, false])
    expect(await cache.getManyOrLoad([7, 8], loader)).toEqual(['value of 7', 'value of 8'])
  })

  test('writes win, key by key', async () => {
    cache.set('forced', 'old')
    const loading = cache.getManyOrLoad(['a', 'b', 'c'], loader)
    other.set('a', 'set')
    other.delete('b')
    expect(await loading).toEqual(['value of a', 'value of b', 'value of c'])
    expect(other.getMany(['a', 'b', 'c'])).toEqual(['set', undefined, 'value of c'])
  })

  test('one that takes over loads what it took by another call', async () => {
    const hangs = cache.getManyOrLoad(['a', 'b', 'c'], () => new Promise(() => undefined), { timeout: 40 })
    const waits = other.getManyOrLoad(['a', 'b', 'c', 'd'], loader, { timeout: 5000 })
    await expect(hangs).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    expect(await waits).toEqual(['value of a', 'value of b', 'value of c', 'value of d'])
    expect(asked[0]).toEqual(['d'])
    expect(asked.slice(1).flat().toSorted()).toEqual(['a', 'b', 'c'])
  })

  test('the signal of the call rejects it, and that of the loader tells when no one waits', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    let context: ManyLoadContext<Key> | undefined
    const gone = cache.getManyOrLoad(
      Array.from({ length: 50 }, (_, i) => i),
      (_, given) => {
        context = given
        return new Promise(() => undefined)
      },
      { signal: controller.signal },
    )
    const stays = cache.getOrLoad(7, () => 'mine', { timeout: 60 })
    controller.abort(reason)
    await expect(gone).rejects.toBe(reason)
    expect(context!.signal.aborted).toBe(false)
    await expect(stays).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    const aborted = cache.getManyOrLoad(['x'], loader, { signal: controller.signal })
    await expect(aborted).rejects.toBe(reason)
    expect(asked).toEqual([])
    const all = cache.getManyOrLoad(
      ['y', 'z'],
      (_, given) => {
        context = given
        return new Promise(() => undefined)
      },
      { timeout: 20 },
    )
    await expect(all).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    await expect.poll(() => context!.signal.aborted).toBe(true)
  })

  test('the context says how long values live, and what they replace', async () => {
    const clock = new Clock(map.handle)
    const options: LoadOptions = { ttl: 1000, staleIfError: 60_000 }
    await cache.getManyOrLoad(['a', 'b'], loader, options)
    const version = cache.getEntry('a')!.version
    clock.advance(2000)
    cache.set('b', 'set')
    const values = await other.getManyOrLoad(
      ['a', 'b', 'c', 'd'],
      (keys, { stale, setTtl }) => {
        expect([...stale]).toEqual([['a', { value: 'value of a', version }]])
        setTtl(5000)
        setTtl(Infinity, 'c')
        expect(() => setTtl(0)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
        expect(() => setTtl(5, 'b')).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
        return keys.map((key) => [key, key] as const)
      },
      options,
    )
    expect(values).toEqual(['a', 'set', 'c', 'd'])
    clock.advance(2000)
    expect(other.getMany(['a', 'c', 'd'])).toEqual(['a', 'c', 'd'])
    clock.advance(4000)
    expect(other.getMany(['a', 'c', 'd'])).toEqual([undefined, 'c', undefined])
  })

  test('a failure gives each key its expired value, where there is one', async () => {
    const clock = new Clock(map.handle)
    const options: LoadOptions = { ttl: 1000, staleIfError: 60_000 }
    await cache.getManyOrLoad(['a', 'b'], loader, options)
    clock.advance(2000)
    const fails = (): Promise<never> => Promise.reject(new Error('down'))
    expect(await other.getManyOrLoad(['a', 'b'], fails, options)).toEqual(['value of a', 'value of b'])
    await expect(other.getManyOrLoad(['a', 'b', 'c'], fails, options)).rejects.toThrow('down')
    expect(map.stats().counters.staleOnError).toBe(4)
  })

  test('with forceRefresh loads all keys, once for all who force', async () => {
    cache.setMany([
      ['a', 'old'],
      ['b', 'old'],
    ])
    const forced = { forceRefresh: true }
    const calls = [
      cache.getManyOrLoad(['a', 'b', 'c'], loader, forced),
      other.getManyOrLoad(['b', 'a'], loader, forced),
    ]
    expect(other.getMany(['a', 'b'])).toEqual(['old', 'old'])
    expect(await Promise.all(calls)).toEqual([
      ['value of a', 'value of b', 'value of c'],
      ['value of b', 'value of a'],
    ])
    expect(asked).toEqual([['a', 'b', 'c']])
    expect(other.getMany(['a', 'b', 'c'])).toEqual(['value of a', 'value of b', 'value of c'])
    expect(loads()).toEqual([3, 0])
  })

  test('the loader runs in the context of its caller, also when it takes over', async () => {
    const storage = new AsyncLocalStorage<string>()
    const contexts: unknown[] = []
    const telling = (keys: readonly Key[]): [Key, unknown][] => {
      contexts.push(storage.getStore())
      return keys.map((key) => [key, 1])
    }
    const hangs = storage.run('first', () =>
      cache.getManyOrLoad(['a'], () => new Promise(() => undefined), { timeout: 30 }),
    )
    const calls = [cache, other].map((each, i) => storage.run(`${i}`, () => each.getManyOrLoad(['a', `${i}`], telling)))
    await expect(hangs).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    await Promise.all(calls)
    expect(contexts.slice(0, 2)).toEqual(['0', '1'])
    // The key of the load that hangs is loaded by either, with its own key if its time was up that early.
    for (const context of contexts) expect(['0', '1']).toContain(context)
  })

  test.each<[string, unknown[], boolean?]>([
    ['no keys', [undefined, () => []]],
    ['a string', ['keys', () => []]],
    ['an object among the keys', [['a', {}], () => []], true],
    ['no loader', [['a'], undefined]],
    ['a wrong option', [['a'], () => [], { ttl: 0 }]],
    ['an unknown option', [['a'], () => [], { retries: 3 }]],
  ])('refuses %s, and loads nothing', async (_, args, isKey = false) => {
    for (const forceRefresh of [false, true]) {
      const [keys, load, options] = args
      const given = typeof load === 'function' ? loader : load
      const wrong = cache.getManyOrLoad(keys as never, given as never, { ...(options as object), forceRefresh })
      await expect(wrong).rejects.toMatchObject({ code: isKey ? 'ERR_MAPSAFE_KEY_TYPE' : 'ERR_MAPSAFE_OPTIONS' })
    }
    expect(asked).toEqual([])
    expect(loads()).toEqual([0, 0])
  })

  test('a thousand keys by calls of several caches at once are loaded once each', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => i)
    const calls = [cache, other, cache, other].map((each, i) =>
      each.getManyOrLoad(i < 2 ? keys : keys.toReversed(), loader),
    )
    const results = await Promise.all(calls)
    expect(results[1]).toEqual(keys.map((key) => `value of ${key}`))
    expect(results[3]).toEqual(results[1].toReversed())
    expect(asked.flat()).toHaveLength(1000)
    expect(loads()).toEqual([1000, 0])
  })
})

function* stopsMidway(): Generator<[Key, unknown]> {
  yield [7, 1]
  throw new Error('in the middle')
}
