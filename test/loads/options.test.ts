import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConcurrentCache, type Key, type LoadContext } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { nearAndFarLineups } from '../support/run.js'

const fail = (): Promise<never> => Promise.reject(new Error('down'))

describe.each(nearAndFarLineups)('options of loads ($name)', (lineup) => {
  let map: ConcurrentCache<Key, unknown>
  let cache: ConcurrentCache<Key, unknown>
  /** Another cache object, to which only the region leads: it stands for another thread. */
  let other: ConcurrentCache<Key, unknown>
  let clock: Clock
  beforeEach(() => {
    map = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    cache = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(0), ...lineup.attach })
    other = ConcurrentCache.attach(map.handle, { engine: lineup.engineOf(1), ...lineup.attach })
    clock = new Clock(map.handle)
  })
  afterEach(() => {
    cache.close()
    other.close()
    expect(map.verify().problems).toEqual([])
    map.close()
  })
  const counts = (): object => {
    const { loads, loadFailures, staleOnError } = map.stats().counters
    return { loads, loadFailures, staleOnError }
  }

  describe('the context of a loader', () => {
    test('says how long the value lives, and lets the loader say it', async () => {
      const ttls: number[] = []
      const loader = (_: Key, { ttl, setTtl }: LoadContext): string => {
        ttls.push(ttl)
        setTtl(1000)
        return 'value'
      }
      await cache.getOrLoad('own', loader, { ttl: 5000 })
      await cache.getOrLoad('default', loader)
      expect(ttls).toEqual([5000, Infinity])
      for (const key of ['own', 'default']) {
        const { expiresAt } = cache.getEntry(key)!
        expect(expiresAt! - Date.now()).toBeLessThanOrEqual(1001)
      }
      clock.advance(2000)
      expect(cache.get('own')).toBeUndefined()
    })

    test('tells the lifetime said last, and an unending one', async () => {
      await cache.getOrLoad(
        'key',
        (_, context) => {
          context.setTtl(5)
          context.setTtl(Infinity)
          expect(context.ttl).toBe(Infinity)
          return 1
        },
        { ttl: 1000 },
      )
      expect(cache.getEntry('key')?.expiresAt).toBeUndefined()
    })

    test.each([0, -1, NaN, '5', undefined, null])('refuses the lifetime %j', async (ttl) => {
      const loading = cache.getOrLoad('key', (_, { setTtl }) => {
        setTtl(ttl as number)
        return 1
      })
      await expect(loading).rejects.toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
      expect(cache.has('key')).toBe(false)
    })

    test('has the expired value and its version, whoever loads', async () => {
      const options = { ttl: 1000, staleWhileRevalidate: 10_000 }
      await cache.getOrLoad('key', () => ({ etag: 'a' }), options)
      const { version } = cache.getEntry('key')!
      clock.advance(2000)
      const seen: unknown[] = []
      for (const each of [cache, other]) {
        const loader = (_: Key, { stale }: LoadContext): Promise<never> => {
          seen.push(stale)
          return fail()
        }
        expect(await each.getOrLoad('key', loader, options)).toEqual({ etag: 'a' })
        await vi.waitFor(() => expect(counts()).toMatchObject({ loadFailures: seen.length }))
      }
      expect(seen).toEqual([
        { value: { etag: 'a' }, version },
        { value: { etag: 'a' }, version },
      ])
      // A loader that finds the value still current returns it.
      await cache.getOrLoad('key', (_, { stale }) => stale!.value, options)
      await vi.waitFor(() => expect(other.get('key')).toEqual({ etag: 'a' }))
      expect(other.getEntry('key')!.version).toBeGreaterThan(version)
    })

    test('has no value where there was none, or where it was deleted', async () => {
      const seen: unknown[] = []
      const loader = (_: Key, { stale }: LoadContext): number => seen.push(stale)
      const options = { ttl: 1000, staleWhileRevalidate: 10_000 }
      await cache.getOrLoad('key', loader, options)
      clock.advance(2000)
      other.delete('key')
      await cache.getOrLoad('key', loader, options)
      expect(seen).toEqual([undefined, undefined])
    })
  })

  describe('forceRefresh', () => {
    const forced = { forceRefresh: true }

    test('loads although there is a value, which all others get meanwhile', async () => {
      cache.set('key', 'old')
      let runs = 0
      const loader = async (_: Key, { stale }: LoadContext): Promise<unknown> => {
        runs++
        expect(stale).toEqual({ value: 'old', version: 1 })
        await sleep(20)
        return `new ${runs}`
      }
      const calls = [cache, other, cache, other].map((each) => each.getOrLoad('key', loader, forced))
      for (const each of [cache, other]) {
        expect(each.get('key')).toBe('old')
        expect(await each.getOrLoad('key', () => 'unforced')).toBe('old')
      }
      expect([...cache.keys()]).toEqual(['key'])
      expect(cache.size).toBe(1)
      expect(cache.snapshot().size).toBe(1)
      expect(await Promise.all(calls)).toEqual(['new 1', 'new 1', 'new 1', 'new 1'])
      expect(runs).toBe(1)
      for (const each of [cache, other]) expect(each.get('key')).toBe('new 1')
      expect(await other.getOrLoad('key', () => ++runs, forced)).toBe(2)
      expect(counts()).toMatchObject({ loads: 2, loadFailures: 0 })
      expect(cache.size).toBe(1)
    })

    test('loads where there is none, as any call does', async () => {
      let runs = 0
      const loader = async (): Promise<number> => {
        await sleep(20)
        return ++runs
      }
      const calls = [
        cache.getOrLoad('key', loader, forced),
        other.getOrLoad('key', loader),
        cache.getOrLoad('key', loader),
      ]
      expect(await Promise.all(calls)).toEqual([1, 1, 1])
    })

    test.each(['key', 1.5, 10n, true, new Uint8Array([1, 2]), 'wide \u{1F600}', ''])('of the key %s', async (key) => {
      cache.set(key, 'old')
      const calls = [cache, other].map((each) => each.getOrLoad(key, () => sleep(5, 'new'), forced))
      expect(await Promise.all(calls)).toEqual(['new', 'new'])
      expect(counts()).toMatchObject({ loads: 1 })
      expect(other.get(key)).toBe('new')
    })

    test.each<[string, (by: ConcurrentCache<Key, unknown>) => unknown, unknown]>([
      ['set', (by) => by.set('key', 'set'), 'set'],
      ['delete', (by) => by.delete('key'), undefined],
      ['clear', (by) => by.clear(), undefined],
    ])('%s wins over it, and later calls load anew', async (_, write, expected) => {
      cache.set('key', 'old')
      const first = cache.getOrLoad('key', () => sleep(30, 'overtaken'), forced)
      const second = other.getOrLoad('key', () => 'not run', forced)
      write(other)
      const later = [cache, other].map((each) => each.getOrLoad('key', () => 'later', forced))
      expect(await first).toBe('overtaken')
      // Another thread may look only after a whole further load, whose value is newer.
      expect(['overtaken', 'later']).toContain(await second)
      expect(await Promise.all(later)).toEqual(['later', 'later'])
      expect(other.get('key')).toBe('later')
      write(cache)
      const overtaken = cache.getOrLoad('key', () => sleep(5, 'overtaken'), forced)
      write(other)
      await overtaken
      expect(cache.get('key')).toBe(expected)
    })

    test('a failure leaves the value, reaches all who forced, and is not kept', async () => {
      cache.set('key', 'old')
      const loader = (): Promise<never> => sleep(20).then(fail)
      const calls = [cache, other].map((each) => each.getOrLoad('key', loader, forced))
      for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('rejected')
      expect(counts()).toEqual({ loads: 1, loadFailures: 1, staleOnError: 0 })
      for (const each of [cache, other]) expect(each.get('key')).toBe('old')
      expect(await other.getOrLoad('key', () => 'new', forced)).toBe('new')
    })

    test('with staleIfError a failure gives the value that is there, unless it was deleted', async () => {
      cache.set('key', 'old')
      const options = { forceRefresh: true, staleIfError: 1000 }
      const loader = (): Promise<never> => sleep(20).then(fail)
      const calls = [cache, other].map((each) => each.getOrLoad('key', loader, options))
      expect(await Promise.all(calls)).toEqual(['old', 'old'])
      expect(counts()).toEqual({ loads: 1, loadFailures: 1, staleOnError: 2 })
      const deleted = cache.getOrLoad('key', loader, options).catch(String)
      other.delete('key')
      expect(await deleted).toBe('Error: down')
    })

    test('takes neither an expired value nor a failure that is kept', async () => {
      await cache.getOrLoad('stale', () => 'old', { ttl: 1000, staleWhileRevalidate: 60_000 })
      clock.advance(2000)
      expect(await other.getOrLoad('stale', () => 'new', forced)).toBe('new')
      await expect(cache.getOrLoad('failed', fail, { negativeTtl: 60_000 })).rejects.toThrow('down')
      await expect(other.getOrLoad('failed', () => 1)).rejects.toThrow('down')
      expect(await other.getOrLoad('failed', () => 1, forced)).toBe(1)
    })

    test('one that takes too long loses its load to one that waits', async () => {
      cache.set('key', 'old')
      const hangs = cache.getOrLoad('key', () => new Promise(() => undefined), { forceRefresh: true, timeout: 30 })
      const waits = other.getOrLoad('key', () => 'new', { forceRefresh: true, timeout: 5000 })
      await expect(hangs).rejects.toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
      expect(await waits).toBe('new')
      expect(cache.get('key')).toBe('new')
    })

    test('runs in the context of its caller', async () => {
      const storage = new AsyncLocalStorage<string>()
      cache.set('key', 'old')
      const loader = (): string => String(storage.getStore())
      expect(await storage.run('mine', () => cache.getOrLoad('key', loader, forced))).toBe('mine')
    })

    test('a key too long to be marked is loaded all the same', async () => {
      const key = 'x'.repeat(2 ** 20 - 1)
      const big = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 64 * 2 ** 20 })
      big.set(key, 'old')
      expect(await big.getOrLoad(key, () => 'new', forced)).toBe('new')
      expect(big.get(key)).toBe('new')
      big.close()
    })
  })

  describe('staleIfError', () => {
    const options = { ttl: 1000, staleIfError: 10_000 }

    test('an expired value is served where the load fails, for a bounded time, and counted', async () => {
      await cache.getOrLoad('key', () => 'old', options)
      clock.advance(2000)
      expect(cache.get('key')).toBeUndefined()
      const loader = (): Promise<never> => sleep(10).then(fail)
      const calls = [cache, other, cache].map((each) => each.getOrLoad('key', loader, options))
      const unwilling = other.getOrLoad('key', loader).catch(String)
      expect(await Promise.all(calls)).toEqual(['old', 'old', 'old'])
      expect(await unwilling).toBe('Error: down')
      expect(counts()).toEqual({ loads: 2, loadFailures: 1, staleOnError: 3 })
      expect(await other.getOrLoad('key', loader, options)).toBe('old')
      clock.advance(10_000)
      await expect(cache.getOrLoad('key', loader, options)).rejects.toThrow('down')
      expect(counts()).toEqual({ loads: 4, loadFailures: 3, staleOnError: 4 })
    })

    test('is served no longer than the call itself allows', async () => {
      await cache.getOrLoad('key', () => 'old', options)
      clock.advance(3000)
      const brief = { ...options, staleIfError: 1000 }
      for (const each of [cache, other]) await expect(each.getOrLoad('key', fail, brief)).rejects.toThrow('down')
      expect(await cache.getOrLoad('key', fail, options)).toBe('old')
    })

    test('is not served where the load succeeds', async () => {
      await cache.getOrLoad('key', () => 'old', options)
      clock.advance(2000)
      expect(await other.getOrLoad('key', () => sleep(10, 'new'), options)).toBe('new')
      expect(counts()).toMatchObject({ staleOnError: 0 })
    })

    test('is served where the load takes too long', async () => {
      await cache.getOrLoad('key', () => 'old', options)
      clock.advance(2000)
      const hangs = (): Promise<never> => new Promise(() => undefined)
      expect(await cache.getOrLoad('key', hangs, { ...options, timeout: 20 })).toBe('old')
      expect(counts()).toMatchObject({ staleOnError: 1, loadFailures: 1 })
    })

    test('serves the value at once for staleWhileRevalidate, and on failure for longer', async () => {
      const both = { ttl: 1000, staleWhileRevalidate: 1000, staleIfError: 10_000 }
      await cache.getOrLoad('key', () => 'old', both)
      clock.advance(1500)
      expect(await other.getOrLoad('key', () => new Promise(() => undefined), { ...both, timeout: 20 })).toBe('old')
      await vi.waitFor(() => expect(counts()).toMatchObject({ loadFailures: 1 }))
      clock.advance(1000)
      expect(await other.getOrLoad('key', () => sleep(5).then(fail), both)).toBe('old')
      expect(counts()).toMatchObject({ staleOnError: 1 })
      expect(await other.getOrLoad('key', () => sleep(5, 'new'), both)).toBe('new')
    })

    test.each<[string, (by: ConcurrentCache<Key, unknown>) => unknown]>([
      ['delete', (by) => by.delete('key')],
      ['clear', (by) => by.clear()],
    ])('%s ends it, before and while a loader runs', async (_, write) => {
      for (const isLoading of [false, true]) {
        await cache.getOrLoad('key', () => 'old', options)
        clock.advance(2000)
        const before = isLoading ? cache.getOrLoad('key', () => sleep(20).then(fail)).catch(String) : undefined
        write(other)
        const after = other.getOrLoad('key', fail, options)
        await expect(after).rejects.toThrow('down')
        expect(await before).toBe(isLoading ? 'Error: down' : undefined)
        cache.delete('key')
      }
      expect(counts()).toMatchObject({ staleOnError: 0 })
    })

    test('with negativeTtl the value is served without a load for that time', async () => {
      const kept = { ...options, negativeTtl: 1000 }
      await cache.getOrLoad('key', () => 'old', kept)
      clock.advance(2000)
      for (const each of [cache, other, cache]) expect(await each.getOrLoad('key', fail, kept)).toBe('old')
      expect(counts()).toEqual({ loads: 2, loadFailures: 1, staleOnError: 3 })
    })
  })

  describe('loadDefaults', () => {
    test('hold for the calls of one cache object that say nothing else', async () => {
      const loadDefaults = { ttl: 1000, timeout: 30, staleIfError: 60_000 }
      const mine = ConcurrentCache.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(1), loadDefaults })
      await mine.getOrLoad('key', () => 'old')
      await mine.getOrLoad('long', () => 'old', { ttl: 1e6 })
      clock.advance(2000)
      expect(other.has('key')).toBe(false)
      expect(other.has('long')).toBe(true)
      expect(await mine.getOrLoad('key', () => new Promise(() => undefined))).toBe('old')
      await expect(mine.getOrLoad('new', () => new Promise(() => undefined))).rejects.toMatchObject({
        code: 'ERR_MAPSAFE_TIMEOUT',
      })
      await expect(mine.getOrLoad('key', fail, { staleIfError: 0 })).rejects.toThrow('down')
      mine.close()
      const made = new ConcurrentCache<Key, unknown>({ maxBytes: 2 ** 20, loadDefaults: { ttl: 5 } })
      await made.getOrLoad('key', () => 1)
      expect(made.getEntry('key')!.expiresAt).toBeDefined()
      made.close()
    })

    test.each([
      { ttl: 0 },
      { staleIfError: -1 },
      { staleWhileRevalidate: '5' },
      { timeout: 0 },
      { negativeTtl: NaN },
      { signal: AbortSignal.timeout(1) },
      { forceRefresh: true },
      { patience: 1 },
      null,
      5,
    ])('refuses %j', (loadDefaults) => {
      const options = { loadDefaults } as never
      expect(() => new ConcurrentCache(options)).toThrow(expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }))
      expect(() => ConcurrentCache.attach(map.handle, options)).toThrow(
        expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }),
      )
    })
  })

  test.each([{ staleIfError: -1 }, { staleIfError: 1.5 }, { forceRefresh: 1 }, { forceRefresh: null }])(
    'refuses %j',
    async (options) => {
      await expect(cache.getOrLoad('key', () => 1, options as never)).rejects.toMatchObject({
        code: 'ERR_MAPSAFE_OPTIONS',
      })
      expect(cache.has('key')).toBe(false)
    },
  )
})
