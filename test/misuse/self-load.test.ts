import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { until } from '../support/patience.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'

// A loader that awaits its own load would wait until its time is up, which here is never.

type Cache = ConcurrentCache<Key, unknown>
const reentrant = { code: 'ERR_MAPSAFE_REENTRANT' }

describe.each(lineups)('$name', (lineup) => {
  let cache: Cache
  /** Another map object of this thread on the same cache. */
  let other: Cache
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeEach(() => {
    cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    other = ConcurrentCache.attach(cache.handle, { engine: lineup.engineOf(1) })
    unhandled.length = 0
    process.on('unhandledRejection', note)
  })
  afterEach(async () => {
    await sleep(0)
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    other.close()
    cache.close()
  })

  /** Loads that never time out. */
  const load = (key: Key, loader: () => unknown, from = cache): Promise<unknown> =>
    from.getOrLoad(key, loader, { timeout: 2 ** 31 - 1 })

  describe('is told at once', () => {
    const ways: [string, (call: () => Promise<unknown>) => unknown][] = [
      ['by await', async (call) => await call()],
      ['by return', (call) => call()],
      ['by return from an async function', async (call) => call()],
      ['by Promise.all', (call) => Promise.all([sleep(0), call()])],
      ['by Promise.race', (call) => Promise.race([call(), new Promise(() => undefined)])],
      ['behind then', async (call) => await call().then((value) => value)],
      ['behind catch', async (call) => await call().catch((error: unknown) => Promise.reject(error as Error))],
      ['behind finally', async (call) => await call().finally(() => undefined)],
      [
        'after another await',
        async (call) => {
          await sleep(1)
          return await call()
        },
      ],
      [
        'in a timer that it awaits',
        (call) =>
          new Promise((resolve, reject) => setTimeout(() => void (async () => await call())().then(resolve, reject))),
      ],
    ]
    test.each(ways)('%s', async (_name, way) => {
      const loading = load('key', () => way(() => load('key', () => 'inner')))
      await expect(loading).rejects.toThrow(/^The loader of key "key" waits for itself/)
      await expect(load('key', () => way(() => load('key', () => 'inner')))).rejects.toMatchObject(reentrant)
      expect(await load('key', () => 'next'), 'nothing is left behind').toBe('next')
    })

    test('and what the loader catches is its own affair', async () => {
      expect(await load('key', async () => await load('key', () => 'inner').catch(() => 'instead'))).toBe('instead')
    })

    test('through other keys, which the message names', async () => {
      const c = (): Promise<unknown> => load('c', async () => await a())
      const b = (): Promise<unknown> => load('b', async () => await c())
      const a = (): Promise<unknown> => load('a', async () => await b())
      await expect(a()).rejects.toMatchObject({
        ...reentrant,
        message: expect.stringMatching(
          /key "(?:a" waits for itself: "a" awaits "b", "b" awaits "c", "c" awaits "a"|c" waits for itself: "c" awaits "a", "a" awaits "b", "b" awaits "c"|b" waits for itself: "b" awaits "c", "c" awaits "a", "a" awaits "b")/,
        ) as string,
      })
    })

    test('of loads that were begun apart and then await each other', async () => {
      const begun: string[] = []
      const run = (own: string, next: string): Promise<unknown> =>
        load(own, async () => {
          begun.push(own)
          while (begun.length < 2) await sleep(1)
          return await load(next, () => 'new')
        })
      const results = await Promise.allSettled([run('a', 'b'), run('b', 'a')])
      expect(results).toEqual(
        results.map(() => ({ status: 'rejected', reason: expect.objectContaining(reentrant) as Error })),
      )
    })

    test('of a promise that was made before the others awaited', async () => {
      const loading = load('a', async () => {
        const b = load('b', async () => await load('a', () => 1))
        await sleep(5)
        return await b
      })
      await expect(loading).rejects.toMatchObject(reentrant)
    })

    test('through another map object on the same cache', async () => {
      await expect(load('a', async () => await load('a', () => 1, other))).rejects.toMatchObject(reentrant)
      const b = (): Promise<unknown> => load('b', async () => await load('a', () => 1), other)
      await expect(load('a', async () => await b())).rejects.toMatchObject(reentrant)
    })

    test('through another cache', async () => {
      using second = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(1), maxBytes: 2 ** 20 })
      const back = (): Promise<unknown> => load('a', async () => await load('a', () => 1), second)
      await expect(load('a', async () => await back())).rejects.toMatchObject(reentrant)
    })

    test('of a key that is bytes', async () => {
      const key = Uint8Array.of(1, 2)
      await expect(load(key, async () => await load(Uint8Array.of(1, 2), () => 1))).rejects.toMatchObject(reentrant)
    })

    test('to all calls that wait, in other map objects as well', async () => {
      const calls = [
        load('a', async () => {
          await sleep(20)
          return await load('a', () => 1)
        }),
        load('a', () => 2),
        load('a', () => 3, other),
      ]
      const results = await Promise.allSettled(calls)
      expect(results).toEqual(
        results.map(() => ({ status: 'rejected', reason: expect.objectContaining(reentrant) as Error })),
      )
    })
  })

  describe('is not told where none awaits itself:', () => {
    test('a call that the loader only starts', async () => {
      const got: unknown[] = []
      const ways: ((call: Promise<unknown>) => unknown)[] = [
        (call) => void call,
        (call) => void call.then((value) => got.push(value)),
        (call) => void call.catch(() => got.push('failed')),
        (call) => void call.finally(() => got.push('over')),
        (call) => void call.then((value) => value).then((value) => got.push(value)),
      ]
      for (const [i, way] of ways.entries()) {
        const value = await load(i, async () => {
          way(load(i, () => 'inner'))
          await sleep(2)
          return 'outer'
        })
        expect(value).toBe('outer')
      }
      await sleep(2)
      expect(got).toEqual(['outer', 'over', 'outer'])
    })

    test('another load that the loader starts, and that awaits this one', async () => {
      let prefetched: Promise<unknown> | undefined
      const page = await load(1, async () => {
        prefetched = load(2, async () => `after ${String(await load(1, () => 'never'))}`)
        await sleep(2)
        return 'page'
      })
      expect([page, await prefetched]).toEqual(['page', 'after page'])
    })

    test('a call from another context', async () => {
      const outside = AsyncLocalStorage.snapshot() as <T>(run: () => T) => T
      let call: Promise<unknown> | undefined
      const begun = new Promise<void>((resolve) => {
        void load('key', async () => {
          resolve()
          call = outside(() => load('key', () => 'inner'))
          await sleep(2)
          return 'outer'
        })
      })
      await begun
      expect(await load('key', () => 'inner')).toBe('outer')
      expect(await call).toBe('outer')
    })

    test('a timer that the loader leaves behind, and that loads anew later', async () => {
      let later: Promise<unknown> | undefined
      await load('key', () => {
        setTimeout(() => {
          cache.delete('key')
          later = (async () => await load('key', () => 'later'))()
        }, 5)
        return 'first'
      })
      await until(
        'the timer runs',
        () => later !== undefined,
        () => 0,
      )
      expect(await later).toBe('later')
    })

    test('a value that the loader stored itself', async () => {
      const loading = load('key', async () => {
        cache.set('key', 'set')
        return await load('key', () => 'inner')
      })
      expect(await loading).toBe('set')
    })

    test('a call that gave up before', async () => {
      let isGivenUp = false
      const b = load('b', async () => {
        await until('the other call gives up', () => isGivenUp)
        return `after ${String(await load('a', () => 'never'))}`
      })
      const a = load('a', async () => {
        await cache.getOrLoad('b', () => 'never', { timeout: 2 }).catch(() => undefined)
        isGivenUp = true
        await sleep(20)
        return 'a'
      })
      expect([await a, await b]).toEqual(['a', 'after a'])
    })

    test('loads of two caches that have one number', async () => {
      using second = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
      using third = ConcurrentCache.attach<Key, unknown>(second.handle, { engine: lineup.engineOf(1) })
      let begins = (): void => undefined
      const begun = new Promise<void>((resolve) => (begins = resolve))
      const a = load('a', async () => {
        await begun
        return await load('b', () => 'never', third)
      })
      const b = load('b', () => sleep(20, 'b'), second)
      begins()
      expect([await a, await b]).toEqual(['b', 'b'])
    })

    test('one name in two caches', async () => {
      using second = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(1), maxBytes: 2 ** 20 })
      expect(await load('key', async () => await load('key', () => 'deep', second))).toBe('deep')
    })
  })

  test(`graphs of keys that await others: what is in a circle, or needs one, is told, and nothing else (seed ${seed})`, async () => {
    const random = new Random(seed)
    for (let round = 0; round < scaled(60); round++) {
      const keys = 2 + random.below(6)
      const needs = Array.from({ length: keys }, () =>
        Array.from({ length: random.below(3) }, () => random.below(keys)),
      )
      const value = (key: number): Promise<unknown> =>
        load(
          `${round}:${key}`,
          async () => {
            if (random.below(2) === 0) await sleep(random.below(3))
            for (const next of needs[key]) await value(next)
            return key
          },
          random.below(2) === 0 ? cache : other,
        )
      const results = await Promise.allSettled(Array.from({ length: keys }, (_, key) => value(key)))
      const isSound = (key: number, above: number[] = []): boolean =>
        !above.includes(key) && needs[key].every((next) => isSound(next, [...above, key]))
      for (const [key, result] of results.entries()) {
        const expected = isSound(key) ? { status: 'fulfilled', value: key } : { status: 'rejected', reason: reentrant }
        expect(result, JSON.stringify(needs)).toMatchObject(expected)
      }
    }
  })
})
