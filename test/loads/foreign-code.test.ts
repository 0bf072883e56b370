import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key, type LoadOptions } from '../../src/index.js'
import { describeFailure, reviveFailure } from '../../src/loads/failure.js'
import { Clock } from '../support/clock.js'
import { lineups } from '../support/run.js'

const PATIENCE_MS = 10_000

/** Fails instead of waiting for a lease that nobody gives back: loads in these tests have a minute. */
function soon<T>(call: Promise<T>): Promise<T> {
  return Promise.race([
    call,
    sleep(PATIENCE_MS, undefined, { ref: false }).then(() => Promise.reject(new Error('still waits'))),
  ])
}

function hang(): Promise<never> {
  return new Promise(() => undefined)
}

/** User code that runs in the middle of a load, and what it can do there. */
describe.each(lineups)('user code in the middle of a load ($name)', (lineup) => {
  let cache: ConcurrentCache<Key, unknown>
  let other: ConcurrentCache<Key, unknown>
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  beforeEach(() => {
    cache = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    other = ConcurrentCache.attach<Key, unknown>(cache.handle, { engine: lineup.engineOf(1) })
    unhandled.length = 0
    process.on('unhandledRejection', note)
  })
  afterEach(async () => {
    await sleep(0) // unhandled rejections are told after the microtasks
    process.off('unhandledRejection', note)
    expect(unhandled).toEqual([])
    other.close()
    cache.close()
  })

  test('what it throws may be looked at once only', async () => {
    let looks = 0
    const thrown = {
      get a() {
        if (looks++ > 0) throw new Error('looked at twice')
        return 1
      },
    }
    const own = cache.getOrLoad('key', () => sleep(20).then(() => Promise.reject(thrown as unknown as Error)))
    const others = other.getOrLoad('key', () => 'a load of its own')
    const [first, second] = await soon(Promise.allSettled([own, others]))
    expect((first as PromiseRejectedResult).reason).toBe(thrown)
    expect(second).toEqual({ status: 'rejected', reason: { a: 1 } })
    expect(await soon(other.getOrLoad('key', () => 'next'))).toBe('next')
  })

  test('a value may be looked at once only, also where a write overtook it', async () => {
    let looks = 0
    const value = {
      get a() {
        if (looks++ > 0) throw new Error('looked at twice')
        return 1
      },
    }
    const own = cache.getOrLoad('key', () => sleep(50, value))
    const others = other.getOrLoad('key', () => 'a load of its own')
    await sleep(5)
    cache.delete('key')
    expect(await soon(Promise.all([own, others]))).toEqual([{ a: 1 }, { a: 1 }])
  })

  test('a getter in the value may outlast the time, so that another load has begun', async () => {
    let third: Promise<unknown> | undefined
    const slow = {
      get a() {
        for (const start = performance.now(); performance.now() - start < 60;);
        third = cache.getOrLoad('key', () => 'third')
        return 1
      },
    }
    const first = cache.getOrLoad('key', () => slow, { timeout: 50 })
    const second = cache.getOrLoad('key', () => sleep(20, 'second'), { timeout: 60_000 })
    await expect(first).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    expect(await soon(second)).toBe('second')
    expect(await soon(third!)).toBe('second')
    expect(cache.get('key')).toBe('second')
    expect(await soon(other.getOrLoad('key', () => 'next'))).toBe('second')
  })

  test.each<[string, () => unknown, (value: never) => void, (value: never) => unknown]>([
    ['bytes', () => new Uint8Array([1, 2]), (value: Uint8Array) => value.fill(9), (value: Uint8Array) => [...value]],
    [
      'a Map',
      () => new Map([[1, 2]]),
      (value: Map<number, number>) => {
        expect(() => value.set(1, 9)).toThrow('This Map is frozen')
      },
      (value: Map<number, number>) => [...value],
    ],
  ])('who is given %s changes it for nobody else, if at all', async (_, make, spoil, contentOf) => {
    const expected = contentOf(make() as never)
    const expectOwn = async (calls: readonly Promise<unknown>[]): Promise<void> => {
      for (const value of await soon(Promise.all(calls))) {
        expect(contentOf(value as never)).toEqual(expected)
        spoil(value as never)
      }
    }
    const options: LoadOptions = { ttl: 5000, staleWhileRevalidate: 10_000 }
    const load = (): Promise<unknown> => sleep(10).then(make)
    const all = [cache, cache, other, other]
    await expectOwn(all.map((each) => each.getOrLoad('key', load, options)))
    expect(contentOf(cache.get('key') as never)).toEqual(expected)

    // An expired value, served while the load that replaces it is under way.
    new Clock(cache.handle).advance(6000)
    await expectOwn(all.map((each) => each.getOrLoad('key', hang, { ...options, timeout: 500 })))
    await expectOwn(all.map((each) => each.getOrLoad('key', hang, options)))

    // A value that a deletion overtook.
    const calls = all.map((each) => each.getOrLoad('deleted', () => sleep(50).then(make)))
    await sleep(5)
    cache.delete('deleted')
    await expectOwn(calls)
  })

  test('a value nested as deep as one may be is told like any other', async () => {
    let value: unknown[] = []
    for (let i = 0; i < 500; i++) value = [value]
    const options: LoadOptions = { ttl: 5000, staleWhileRevalidate: 10_000 }
    expect(await soon(cache.getOrLoad('key', () => value, options))).toEqual(value)
    new Clock(cache.handle).advance(6000)
    expect(await soon(cache.getOrLoad('key', () => sleep(10, 'new'), options))).toEqual(value)
    const calls = [cache, cache, other].map((each) => each.getOrLoad('deleted', () => sleep(50, value)))
    await sleep(5)
    cache.delete('deleted')
    expect(await soon(Promise.all(calls))).toEqual([value, value, value])
  })

  test.each([1, -0, 'text', '\u20ac', '', true, null, undefined, 2n, [1]])(
    'a deletion leaves %s as it was',
    async (value) => {
      const calls = [cache, other].map((each) => each.getOrLoad('key', () => sleep(30, value)))
      await sleep(5)
      cache.delete('key')
      expect(await soon(Promise.all(calls))).toEqual([value, value])
    },
  )

  test('objects that are not frozen are not shared by callers either', async () => {
    const open = ConcurrentCache.attach<Key, { a: number }>(cache.handle, { engine: lineup.engineOf(0), freeze: false })
    const calls = [1, 2, 3].map(() => open.getOrLoad('key', () => sleep(10, { a: 1 })))
    for (const value of (await soon(Promise.all(calls))) as { a: number }[]) {
      expect(value).toEqual({ a: 1 })
      value.a = 2
    }
    open.close()
  })

  test('a call from a function that decides about a write is refused alone', async () => {
    const controller = new AbortController()
    const first = other.getOrLoad('key', hang, { signal: controller.signal })
    const second = cache.getOrLoad('key', () => 'second')
    let third: Promise<unknown> | undefined
    controller.abort()
    cache.update('another', () => {
      third = cache.getOrLoad('key', () => 'third')
      third.catch(() => undefined)
      return 1
    })
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await expect(third).rejects.toMatchObject({ code: 'ERR_MAPSAFE_REENTRANT' })
    expect(await soon(second)).toBe('second')
  })

  test('an abort from such a function gives the lease back all the same', async () => {
    const controller = new AbortController()
    const first = cache.getOrLoad('key', hang, { signal: controller.signal, timeout: 60_000 })
    first.catch(() => undefined)
    const second = other.getOrLoad('key', () => 'second', { timeout: 60_000 })
    cache.update('another', () => {
      controller.abort()
      return 1
    })
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    expect(await soon(second)).toBe('second')
  })

  test('a listener of the abort may load again, but not once the cache is being closed', async () => {
    const nested: Promise<unknown>[] = []
    const closing = ConcurrentCache.attach<Key, unknown>(cache.handle, { engine: lineup.engineOf(0) })
    const first = closing.getOrLoad('key', (_, { signal }) => {
      signal.addEventListener('abort', () => {
        const again = closing.getOrLoad('key', () => sleep(5).then(() => Promise.reject(new Error('late'))))
        again.catch(() => undefined)
        nested.push(again)
      })
      return hang()
    })
    first.catch(() => undefined)
    closing.close()
    await expect(first).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
    expect(nested).toHaveLength(1)
    await expect(soon(nested[0])).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
    await sleep(20)
    expect(await soon(other.getOrLoad('key', () => 'next'))).toBe('next')
  })

  test.each<[string, () => unknown]>([
    ['an object with the prototype of one', () => Object.create(AbortSignal.prototype) as unknown],
    [
      'a Proxy of one whose traps throw',
      () =>
        new Proxy(new AbortController().signal, {
          get() {
            throw new Error('trap')
          },
        }),
    ],
  ])('a signal must be an AbortSignal, not %s', async (_, make) => {
    const call = cache.getOrLoad('key', () => 1, { signal: make() as AbortSignal })
    await expect(call).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
    expect(cache.has('key')).toBe(false)
  })

  test('methods that a signal has of its own stop nobody', async () => {
    const hostile = new AbortController()
    const refuse = (): never => {
      throw new Error('refused')
    }
    Object.defineProperties(hostile.signal, { removeEventListener: { value: refuse }, reason: { get: refuse } })
    const { signal } = hostile
    const calls = [1, 2, 3].map((i) => cache.getOrLoad('key', () => sleep(10, 'value'), i === 1 ? { signal } : {}))
    expect(await soon(Promise.all(calls))).toEqual(['value', 'value', 'value'])
    const aborted = cache.getOrLoad('more', hang, { signal })
    aborted.catch(() => undefined)
    hostile.abort()
    await expect(soon(aborted)).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('a loader may begin another load of its key, which leaves no timer behind', async () => {
    const loads = 20 // so that a timer of the test runner makes no difference
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    for (let i = 0; i < loads; i++) {
      let nested: Promise<unknown> | undefined
      const first = cache.getOrLoad(i, () => {
        nested = cache.getOrLoad(i, () => 'nested')
        return 'value'
      })
      expect(await Promise.all([first, nested])).toEqual(['value', 'value'])
    }
    expect(timers()).toBeLessThan(before + loads / 2)
  })

  test('every option is read once', async () => {
    const reads: string[] = []
    const counted = (values: Record<string, unknown>): object =>
      Object.defineProperties(
        {},
        Object.fromEntries(
          Object.entries(values).map(([name, value]) => [
            name,
            { enumerable: true, get: () => (reads.push(name), value) },
          ]),
        ),
      )
    const signal = new AbortController().signal
    const options = { ttl: 10, staleWhileRevalidate: 1, timeout: 50, negativeTtl: 1, signal }
    expect(await cache.getOrLoad('key', () => 1, counted(options))).toBe(1)
    expect(reads.sort()).toEqual(Object.keys(options).sort())
    reads.length = 0
    expect(cache.getOrInsertComputed('more', () => 2, counted({ ttl: 10 }))).toBe(2)
    expect(reads).toEqual(['ttl'])
  })
})

describe('the description of a failure', () => {
  test('is bounded, however errors hold each other', () => {
    let looks = 0
    class Counted extends AggregateError {
      override get message(): string {
        looks++
        return 'm'
      }
      override set message(_: string) {
        throw new Error('nobody writes it')
      }
    }
    const errors: Error[] = []
    const error = new Counted(errors)
    errors.push(error, error, error, error)
    error.errors = errors
    error.cause = error
    const revived = reviveFailure(describeFailure(error)) as AggregateError
    expect(looks).toBeLessThan(200)
    expect(revived.message).toBe('m')
    expect(revived).toBeInstanceOf(AggregateError)
  })

  test('keeps a DOMException what it is', () => {
    const revived = reviveFailure(describeFailure(new DOMException('m', 'TimeoutError'))) as DOMException
    expect(revived).toBeInstanceOf(DOMException)
    expect(revived).toMatchObject({ name: 'TimeoutError', message: 'm', code: DOMException.TIMEOUT_ERR })
  })
})
