import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { PUT_ALWAYS } from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { ConcurrentCache, type Key, type LoadContext } from '../../src/index.js'
import { leaseBytes, writeLease } from '../../src/loads/lease.js'
import { Leases } from '../../src/loads/leases.js'
import { readCounter } from '../../src/format/counters.js'
import {
  BLOCK_WORDS,
  COUNTER_LOAD_FAILURES,
  COUNTER_LOADS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  THREAD_WORDS,
  VALUE_LEASE,
} from '../../src/format/layout.js'
import { Clock } from '../support/clock.js'
import { FairClock } from '../support/fair-clock.js'
import { lineups, scaled, seed } from '../support/run.js'
import { CALLED, MOST, RUNNING, Team, type Ending } from './team.js'

const WORKERS = 4

function later<T>(ms: number, value: T): () => Promise<T> {
  return () => sleep(ms, value)
}

function fail(message: string): () => Promise<never> {
  return () => Promise.reject(new Error(message))
}

/** Loaders called, and loads that failed, by all threads. */
function loadsOf(cache: ConcurrentCache<Key, unknown>): { loads: number; failures: number } {
  const words = new Int32Array(cache.handle.region!)
  const sum = (counter: number): number => {
    let total = 0
    for (let i = 0; i < REGISTRY_THREADS; i++) {
      total += readCounter(words, REGISTRY_BLOCK * BLOCK_WORDS + i * THREAD_WORDS, counter)
    }
    return total
  }
  return { loads: sum(COUNTER_LOADS), failures: sum(COUNTER_LOAD_FAILURES) }
}

describe.each(lineups)('getOrLoad in one thread ($name)', (lineup) => {
  let map: ConcurrentCache<Key, unknown>
  let cache: ConcurrentCache<Key, unknown>
  let other: ConcurrentCache<Key, unknown>
  beforeEach(() => {
    map = new ConcurrentCache({ engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    cache = ConcurrentCache.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(0) })
    other = ConcurrentCache.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(1) })
  })
  afterEach(() => {
    cache.close()
    other.close()
    expect(map.verify().problems).toEqual([])
    map.close()
  })

  test.each<[string, Key, unknown]>([
    ['a string', 'key', 'value'],
    ['an object', 'key', { a: [1, 2] }],
    ['undefined', 'key', undefined],
    ['null', 'key', null],
    ['zero', 0, 0],
    ['false', true, false],
    ['the empty string', '', ''],
    ['bytes', new Uint8Array([1, 2]), new Uint8Array([3])],
    ['a Map', 10n, new Map([[1, { a: 1 }]])],
  ])('loads %s once, and then has it', async (_, key, value) => {
    let calls = 0
    const loader = (): unknown => (calls++, value)
    expect(await cache.getOrLoad(key, loader)).toEqual(value)
    expect(await cache.getOrLoad(key, loader)).toEqual(value)
    expect(await other.getOrLoad(key, loader)).toEqual(value)
    expect(calls).toBe(1)
    expect(other.has(key)).toBe(true)
    expect(other.get(key)).toEqual(value)
    expect(cache.size).toBe(1)
    expect(loadsOf(map)).toEqual({ loads: 1, failures: 0 })
  })

  test('gives the loader the key and a signal, and the caller what a reader gets', async () => {
    const given: unknown[] = []
    const value = { deep: { a: 1 } }
    const loaded = (await cache.getOrLoad(-0, (key, { signal }) => {
      given.push(key, signal.aborted)
      return value
    })) as typeof value
    expect(given).toEqual([0, false])
    expect(loaded).not.toBe(value)
    expect(Object.isFrozen(loaded.deep)).toBe(true)
  })

  test('many calls for one key wait for one loader, whichever cache object they come through', async () => {
    let calls = 0
    const loader = async (): Promise<string> => {
      calls++
      await sleep(20)
      return 'loaded'
    }
    const all = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? cache : other).getOrLoad('key', loader))
    expect(new Set(await Promise.all(all))).toEqual(new Set(['loaded']))
    expect(calls).toBe(1)
  })

  test('equal bytes are one key, also when the array changes meanwhile', async () => {
    const key = new Uint8Array([1, 2, 3])
    const first = cache.getOrLoad(key, later(20, 'loaded'))
    const second = cache.getOrLoad(new Uint8Array([1, 2, 3]), () => 'loaded again')
    key[0] = 9
    expect(await Promise.all([first, second])).toEqual(['loaded', 'loaded'])
    expect(loadsOf(map).loads).toBe(1)
    expect(cache.size).toBe(1)
  })

  test('a rejection reaches all who wait, as it is, and is not kept', async () => {
    const error = Object.assign(new TypeError('no such user', { cause: new Error('socket') }), { code: 'E_USER' })
    const reject = async (): Promise<never> => {
      await sleep(10)
      throw error
    }
    const calls = [cache, cache, other].map((each) => each.getOrLoad('key', reject))
    const [first, second, third] = await Promise.allSettled(calls)
    expect((first as PromiseRejectedResult).reason).toBe(error)
    expect((second as PromiseRejectedResult).reason).toBe(error)
    const { reason } = third as PromiseRejectedResult & { reason: TypeError & { code: unknown } }
    expect(reason).toBeInstanceOf(TypeError)
    expect(reason).toMatchObject({ message: 'no such user', code: 'E_USER', stack: error.stack })
    expect(reason.cause).toMatchObject({ message: 'socket' })
    expect(await other.getOrLoad('key', () => 'now')).toBe('now')
    expect(loadsOf(map)).toEqual({ loads: 2, failures: 1 })
  })

  test('a loader that throws at once, and one that throws what is no error', async () => {
    const loader = (): never => {
      throw new Error('at once')
    }
    await expect(cache.getOrLoad('key', loader)).rejects.toThrow('at once')
    const waiting = cache.getOrLoad('key', async () => {
      await sleep(10)
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the case
      throw { status: 404 }
    })
    const elsewhere = other.getOrLoad('key', () => 1)
    await expect(waiting).rejects.toEqual({ status: 404 })
    await expect(elsewhere).rejects.toEqual({ status: 404 })
  })

  test('a value that no cache can hold fails the load', async () => {
    const waiting = cache.getOrLoad('key', later(10, { f: () => 1 }))
    const elsewhere = other.getOrLoad('key', () => 1)
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_MAPSAFE_VALUE_TYPE' })
    await expect(elsewhere).rejects.toMatchObject({ code: 'ERR_MAPSAFE_VALUE_TYPE', name: 'MapsafeTypeError' })
    await expect(cache.getOrLoad('key', () => 'x'.repeat(2 ** 23))).rejects.toMatchObject({
      code: 'ERR_MAPSAFE_ENTRY_TOO_LARGE',
    })
    expect(await cache.getOrLoad('key', () => 2)).toBe(2)
  })

  test('negativeTtl keeps a rejection for a while, and a deletion ends it', async () => {
    await expect(cache.getOrLoad('key', fail('down'), { negativeTtl: 60_000 })).rejects.toThrow('down')
    await expect(cache.getOrLoad('key', () => 1)).rejects.toThrow('down')
    await expect(other.getOrLoad('key', () => 1)).rejects.toThrow('down')
    expect(cache.has('key')).toBe(false)
    new Clock(map.handle).advance(60_100)
    expect(await other.getOrLoad('key', () => 2)).toBe(2)

    await expect(cache.getOrLoad('more', fail('down'), { negativeTtl: 60_000 })).rejects.toThrow('down')
    expect(other.delete('more')).toBe(false)
    expect(await other.getOrLoad('more', () => 3)).toBe(3)
  })

  test('a load that takes too long rejects its caller and aborts its signal; another caller takes over', async () => {
    let context: LoadContext | undefined
    const hang = (_: Key, given: LoadContext): Promise<never> => {
      context = given
      return new Promise(() => undefined)
    }
    const first = cache.getOrLoad('key', hang, { timeout: 40 })
    const second = cache.getOrLoad('key', later(10, 'second'), { timeout: 5000 })
    const third = other.getOrLoad('key', later(10, 'third'), { timeout: 5000 })
    await expect(first).rejects.toMatchObject({
      code: 'ERR_MAPSAFE_TIMEOUT',
      message: expect.stringMatching(/"key".* 40 ms/),
    })
    expect(context?.signal.aborted).toBe(true)
    expect(context?.signal.reason).toMatchObject({ code: 'ERR_MAPSAFE_TIMEOUT' })
    const value = await second
    expect(['second', 'third']).toContain(value)
    expect(await third).toBe(value)
    expect(other.get('key')).toBe(value)
    expect(loadsOf(map).failures).toBe(1)
  })

  test('who allows less time than the loader has leaves alone', async () => {
    const first = cache.getOrLoad('key', later(600, 'loaded'))
    const clock = new FairClock()
    await expect(cache.getOrLoad('key', () => 1, { timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_MAPSAFE_TIMEOUT',
    })
    await expect(other.getOrLoad('key', () => 1, { timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_MAPSAFE_TIMEOUT',
    })
    expect(clock.now()).toBeLessThan(500)
    expect(await first).toBe('loaded')
  })

  test('nobody waits for more than two loads that time out', async () => {
    const hang = (): Promise<never> => new Promise(() => undefined)
    const clock = new FairClock()
    const calls = Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? cache : other).getOrLoad('key', hang, { timeout: 100 }),
    )
    for (const one of await Promise.allSettled(calls)) {
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'ERR_MAPSAFE_TIMEOUT' } })
    }
    expect(clock.now()).toBeLessThan(1500)
    expect(await cache.getOrLoad('key', () => 1)).toBe(1)
  })

  test('a signal rejects one call only, and the loader once nobody is left', async () => {
    const [one, two] = [new AbortController(), new AbortController()]
    let context: LoadContext | undefined
    const loader = (_: Key, given: LoadContext): Promise<string> => {
      context = given
      return sleep(50, 'loaded')
    }
    const first = cache.getOrLoad('key', loader, { signal: one.signal })
    const second = cache.getOrLoad('key', loader, { signal: two.signal })
    const third = other.getOrLoad('key', () => 'elsewhere', { timeout: 5000 })
    one.abort(new Error('changed my mind'))
    await expect(first).rejects.toThrow('changed my mind')
    expect(context?.signal.aborted).toBe(false)
    two.abort()
    await expect(second).rejects.toMatchObject({ name: 'AbortError' })
    expect(context?.signal.aborted).toBe(true)
    expect(await third).toBe('elsewhere')
    await expect(cache.getOrLoad('key', loader, { signal: one.signal })).rejects.toThrow('changed my mind')
  })

  test.each<[string, (by: ConcurrentCache<Key, unknown>) => unknown, unknown]>([
    ['set', (by) => by.set('key', 'newer'), 'newer'],
    ['delete', (by) => by.delete('key'), undefined],
    ['clear', (by) => by.clear(), undefined],
    ['set and delete', (by) => (by.set('key', 'newer'), by.delete('key')), undefined],
  ])('a %s during the load wins over the value loaded', async (_, write, expected) => {
    for (const by of [cache, other]) {
      by.delete('key')
      const call = cache.getOrLoad('key', later(60, 'older'))
      await sleep(5)
      write(by)
      expect(await call).toBe('older')
      expect(cache.get('key')).toBe(expected)
      expect(other.has('key')).toBe(expected !== undefined)
      expect(other.size).toBe(expected === undefined ? 0 : 1)
      expect(await other.getOrLoad('key', () => 'newest')).toBe(expected ?? 'newest')
    }
  })

  test('who waited before a deletion gets the value loaded; who comes after it, one loaded since', async () => {
    const first = cache.getOrLoad('key', later(200, 'older'))
    const waited = [cache.getOrLoad('key', () => 'no'), other.getOrLoad('key', () => 'no')]
    await sleep(5)
    cache.delete('key')
    let running = 0
    const loader = async (): Promise<string> => {
      running++
      await sleep(10)
      return 'newer'
    }
    const late = [cache.getOrLoad('key', loader), other.getOrLoad('key', loader), other.getOrLoad('key', loader)]
    expect(running).toBe(0)
    expect(await first).toBe('older')
    expect(await Promise.all(waited)).toEqual(['older', 'older'])
    expect(await Promise.all(late)).toEqual(['newer', 'newer', 'newer'])
    expect(running).toBe(1)
    expect(cache.get('key')).toBe('newer')
  })

  test.each<[string, (giveUp: () => void) => unknown]>([
    ['delivers', () => (other.delete('key'), 'loaded')],
    ['fails', fail('down')],
    ['is given up', (giveUp) => (giveUp(), new Promise(() => undefined))],
  ])('a load that %s ends its lease, even if the key is deleted at that very moment', async (_, end) => {
    const { look } = Leases.prototype
    const controller = new AbortController()
    const loader = async (): Promise<unknown> => {
      await sleep(20)
      vi.spyOn(Leases.prototype, 'look').mockImplementationOnce(function (this: Leases<unknown>, key) {
        const sight = look.call(this, key)
        other.delete('key')
        return sight
      })
      return end(() => {
        controller.abort()
      })
    }
    try {
      const first = cache.getOrLoad('key', loader, { signal: controller.signal })
      const second = other.getOrLoad('key', () => 'loaded later', { timeout: 60_000 })
      const settled = Promise.allSettled([first, second]).then(() => 'settled')
      expect(await Promise.race([settled, sleep(2000, 'the second call still waits')])).toBe('settled')
    } finally {
      vi.restoreAllMocks()
    }
  })

  test('a loaded value lives as long as its ttl says', async () => {
    const clock = new Clock(map.handle)
    let calls = 0
    const loader = (): number => ++calls
    expect(await cache.getOrLoad('key', loader, { ttl: 5000 })).toBe(1)
    clock.advance(4000)
    expect(await other.getOrLoad('key', loader)).toBe(1)
    clock.advance(1100)
    expect(await other.getOrLoad('key', loader)).toBe(2)
    clock.advance(10 ** 9)
    expect(await cache.getOrLoad('key', loader)).toBe(2)
  })

  describe('staleWhileRevalidate', () => {
    const options = { ttl: 5000, staleWhileRevalidate: 10_000 }

    test('serves the expired value to getOrLoad alone, while one loader replaces it', async () => {
      const clock = new Clock(map.handle)
      for (const value of [{ old: 1 }, 'old', 7, null, undefined]) {
        cache.delete('key')
        expect(await cache.getOrLoad('key', () => value, options)).toEqual(value)
        clock.advance(6000)
        expect(other.has('key')).toBe(false)
        expect(other.get('key')).toBeUndefined()
        expect([...cache.keys()]).toEqual([])
        let calls = 0
        const loader = async (): Promise<string> => {
          calls++
          await sleep(20)
          return 'new'
        }
        const served = [cache, cache, other, other].map((each) => each.getOrLoad('key', loader, options))
        expect(await Promise.all(served)).toEqual([value, value, value, value])
        expect(cache.has('key')).toBe(false)
        await vi.waitFor(() => expect(other.get('key')).toBe('new'))
        expect(calls).toBe(1)
        expect(cache.size).toBe(1)
        expect(map.verify().problems).toEqual([])
      }
    })

    test('a loader that fails leaves the value until its time is over', async () => {
      const clock = new Clock(map.handle)
      await cache.getOrLoad('key', () => 'old', options)
      clock.advance(6000)
      for (let i = 1; i <= 3; i++) {
        expect(await cache.getOrLoad('key', fail('down'), options)).toBe('old')
        await vi.waitFor(() => {
          expect(loadsOf(map).failures).toBe(2 * i - 1)
        })
        expect(await other.getOrLoad('key', () => new Promise(() => undefined), { timeout: 20 })).toBe('old')
        await vi.waitFor(() => {
          expect(loadsOf(map).failures).toBe(2 * i)
        })
      }
      clock.advance(10_000)
      await expect(other.getOrLoad('key', fail('down'), options)).rejects.toThrow('down')
    })

    test.each<[string, (by: ConcurrentCache<Key, unknown>) => unknown, unknown]>([
      ['set', (by) => by.set('key', 'set'), 'set'],
      ['delete', (by) => by.delete('key'), 'loaded'],
      ['clear', (by) => (by.clear(), undefined), 'loaded'],
    ])('%s ends it, before and while the loader runs', async (name, write, expected) => {
      const clock = new Clock(map.handle)
      for (const isLoading of [false, true]) {
        cache.delete('key')
        await cache.getOrLoad('key', () => 'old', options)
        clock.advance(6000)
        if (isLoading) expect(await cache.getOrLoad('key', later(50, 'older'), options)).toBe('old')
        const outcome = write(other)
        if (name === 'delete') expect(outcome).toBe(false)
        expect(await cache.getOrLoad('key', () => 'loaded')).toBe(expected)
        await sleep(60)
        expect(other.get('key')).toBe(expected)
      }
      expect(cache.size).toBe(1)
    })

    test('entries stay for as long as they may be served, and are swept away then', async () => {
      const clock = new Clock(map.handle)
      for (let i = 0; i < 100; i++) await cache.getOrLoad(i, () => `value ${i}`, options)
      clock.advance(9000)
      const engine = openEngine(map.handle.region!, lineup.engineOf(1))
      engine.sweep(0, 10_000)
      expect(map.size).toBe(100)
      expect(await cache.getOrLoad(5, () => 'new')).toBe('value 5')
      clock.advance(60_000)
      engine.sweep(0, 10_000)
      expect(map.size).toBe(1)
      expect(engine.verify()).toEqual([])
      engine.close()
    })
  })

  describe('a damaged region', () => {
    /** Puts a lease of a living thread that loads nothing under `key`. */
    function leave(key: Key, until: number): Disposable {
      const engine = openEngine(map.handle.region!, lineup.engineOf(1))
      const load = { owner: engine.mark, number: 77, until, base: 0 }
      const lease = { load, outcome: undefined, stale: undefined }
      writeLease(lease, engine.scratch)
      engine.put(key, VALUE_LEASE, leaseBytes(lease), PUT_ALWAYS)
      return { [Symbol.dispose]: () => engine.close() }
    }

    test.each([
      ['of a year to come', Date.now() + 365 * 86_400_000],
      ['of no end', Infinity],
      ['of no number', NaN],
    ])('a lease %s is not waited for', async (_name, until) => {
      using thread = leave('key', until)
      expect(thread).toBeDefined()
      expect(await cache.getOrLoad('key', () => 'loaded', { timeout: 60_000 })).toBe('loaded')
    })

    test('a call waits no longer than it would, whatever the clock says', async () => {
      using thread = leave('key', Date.now() + 60_000)
      expect(thread).toBeDefined()
      const waiting = cache.getOrLoad('key', () => 'loaded', { timeout: 100 })
      const loading = cache.getOrLoad('other', () => new Promise(() => undefined), { timeout: 100 })
      new Clock(map.handle).advance(-1e9)
      const timedOut = { status: 'rejected', reason: { code: 'ERR_MAPSAFE_TIMEOUT' } }
      expect(await Promise.allSettled([waiting, loading])).toMatchObject([timedOut, timedOut])
    })
  })

  test('closing rejects who waits and lets others load', async () => {
    let context: LoadContext | undefined
    const first = cache.getOrLoad('key', (_, given) => {
      context = given
      return sleep(1000, 'late', { ref: false })
    })
    const second = other.getOrLoad('key', () => 'mine')
    cache.close()
    await expect(first).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
    expect(context?.signal.aborted).toBe(true)
    expect(await second).toBe('mine')
    await expect(cache.getOrLoad('key', () => 1)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
  })

  test.each([
    [{ ttl: 0 }],
    [{ staleWhileRevalidate: -1 }],
    [{ timeout: 0 }],
    [{ timeout: 2 ** 31 }],
    [{ timeout: '5' }],
    [{ negativeTtl: -1 }],
    [{ negativeTtl: 1.5 }],
    [{ signal: {} }],
    [{ patience: 1 }],
    [null],
    [5],
  ])('refuses the options %j', async (options) => {
    await expect(cache.getOrLoad('key', () => 1, options as never)).rejects.toMatchObject({
      code: 'ERR_MAPSAFE_OPTIONS',
    })
    expect(cache.has('key')).toBe(false)
  })
})

describe.each(lineups)('getOrLoad in several threads ($name)', (lineup) => {
  const map = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 16 * 2 ** 20 })
  const team = new Team(map.handle, lineup, WORKERS)
  const { words, members } = team
  beforeAll(() => team.assemble())
  beforeEach(() => {
    words.fill(0)
  })
  afterAll(async () => {
    await team.dismiss()
    expect(map.verify().problems).toEqual([])
    map.close()
  })

  test('a stampede runs the loader once', async () => {
    const script = { ms: 100, value: { name: 'Ada' } }
    const request = { does: 'stampede', key: 'stampede', script, calls: 250 } as const
    const endings = (await Promise.all(members.map((member) => member.ask<Ending[]>(request)))).flat()
    expect(words[CALLED]).toBe(1)
    expect(endings).toHaveLength(1000)
    for (const { value } of endings) expect(value).toEqual({ name: 'Ada' })
    const lags = endings.map(({ lag }) => lag).sort((a, b) => a - b)
    console.info(
      `${lineup.name}: 1,000 waiters, after the loader: median ${lags[500].toFixed(1)} ms, last ${lags[999].toFixed(1)} ms`,
    )
  })

  test('a failure reaches who waits in every thread, with all that it says', async () => {
    const script = { ms: 50, error: 'no such user' }
    const endings = await Promise.all(members.map((member) => member.load('failing', script)))
    expect(words[CALLED]).toBe(1)
    for (const { error } of endings) {
      expect(error).toMatchObject({ name: 'RangeError', message: 'no such user', code: 'E_SCRIPT' })
      expect(error?.cause).toEqual({ reason: 'scripted' })
      expect(error?.stack).toContain('team-member')
    }
    expect(await members[0].load('failing', { ms: 0, value: 1 })).toMatchObject({ value: 1 })
  })

  test('who waits in another thread gets the value of a load that a deletion overtook', async () => {
    for (const write of [{ does: 'delete', key: 'overtaken' }, { does: 'clear' }] as const) {
      words.fill(0)
      const first = members[0].load('overtaken', { ms: 600, value: 'older' })
      await members[0].ping()
      const second = members[1].load('overtaken', { ms: 0, value: 'no' })
      await members[1].ping()
      await members[2].ask(write)
      const third = members[3].load('overtaken', { ms: 300, value: 'newer' })
      expect(await first).toMatchObject({ value: 'older' })
      expect(await second).toMatchObject({ value: 'older' })
      expect(await third).toMatchObject({ value: 'newer' })
      expect(words[MOST]).toBe(1)
      expect(await members[1].ask({ does: 'get', key: 'overtaken' })).toBe('newer')
      await members[1].ask({ does: 'delete', key: 'overtaken' })
    }
  })

  test('who waits in another thread gets a value that is set meanwhile', async () => {
    const first = members[0].load('set', { ms: 600, value: 'older' })
    await members[0].ping()
    const second = members[1].load('set', { ms: 0, value: 'no' })
    await members[1].ping()
    await members[2].ask({ does: 'set', key: 'set', value: 'newer' })
    expect(await second).toMatchObject({ value: 'newer' })
    expect(await first).toMatchObject({ value: 'older' })
    expect(await members[3].ask({ does: 'get', key: 'set' })).toBe('newer')
  })

  test('a thread that is busy for too long loses its load to one that waits', async () => {
    const first = members[0].load('busy', { ms: 0, value: 'late', busy: 1000 }, { timeout: 300 })
    await sleep(100)
    const second = await members[1].load('busy', { ms: 0, value: 'in time' }, { timeout: 5000 })
    expect(second).toMatchObject({ value: 'in time' })
    await first
    expect(await members[2].ask({ does: 'get', key: 'busy' })).toBe('in time')
  })

  test('waiting does not block the event loop', async () => {
    const cache = ConcurrentCache.attach<Key, unknown>(map.handle, { engine: lineup.engineOf(1) })
    const first = members[0].load('slow', { ms: 500, value: 1 })
    await members[0].ping()
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    expect(await cache.getOrLoad('slow', () => 2)).toBe(1)
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(10)
    await first
    cache.close()
  })

  test('random loads, failures, writes and deletions', async () => {
    const requests = members.map((member, i) =>
      member.ask<string[]>({ does: 'stress', seed: seed + i, times: scaled(1500), keys: 12 }),
    )
    expect((await Promise.all(requests)).flat(), `MAPSAFE_SEED=${seed}`).toEqual([])
    expect(words[RUNNING]).toBe(0)
  }, 60_000)
})

describe.each(lineups)('getOrLoad when a thread dies ($name)', (lineup) => {
  test('one who waits takes over', async () => {
    const map = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0), maxBytes: 16 * 2 ** 20 })
    const team = new Team(map.handle, lineup, 3)
    await team.assemble()
    const timeout = 20_000
    void team.members[0].load('key', { ms: 0, hangs: true }, { timeout })
    await team.members[0].ping()
    const waiting = [1, 2].map((i) => team.members[i].load('key', { ms: 10, value: 'taken over' }, { timeout }))
    await sleep(50)
    const clock = new FairClock()
    await team.members[0].terminate()
    for (const one of waiting) expect(await one).toMatchObject({ value: 'taken over' })
    const took = clock.now()
    console.info(`${lineup.name}: taken over ${took.toFixed(0)} ms after the end of the thread`)
    expect(took).toBeLessThan(2000)
    expect(team.words[CALLED]).toBe(2)
    await team.dismiss()
    map.close()
  })
})
