import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, type BreakerOptions, type LoadOptions } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { Caller, type Script } from './load-options.js'

const PROCESSES = 4
const TIMEOUT = 60_000
const TTL = 10_000
const SLIDING_TTL = 100_000
const BREAKER: BreakerOptions = { threshold: 0.5, volumeThreshold: 4, duration: 10_000_000, halfOpenAfter: 600_000 }
const REFUSED = 'failed: ERR_MAPSAFE_BREAKER'

describe.each(lineups)('options of loads over processes ($name)', (lineup) => {
  let scratch: Scratch
  let cache: ConcurrentCache<string, string>
  let clock: Clock
  let callers: Caller[]

  /** Every second process has no near-cache. */
  async function start(breaker?: BreakerOptions): Promise<void> {
    callers = Array.from(
      { length: PROCESSES },
      (_, i) =>
        new Caller({
          handle: cache.handle,
          attach: { engine: lineup.engineOf(i), ...(i % 2 === 1 && { nearCache: false }), ...(breaker && { breaker }) },
        }),
    )
    await Promise.all(callers.map((each) => each.arrive()))
  }

  beforeEach(() => {
    scratch = new Scratch()
    const options = { file: scratch.file(), engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 }
    cache = new ConcurrentCache(options)
    clock = new Clock(cache.handle)
  })

  afterEach(async () => {
    await Promise.all(callers.map((each) => each.end()))
    cache.repair()
    expectSound(cache)
    cache.close()
    scratch[Symbol.dispose]()
  })

  const calls = (): (readonly string[])[] => callers.flatMap(({ called }) => called)
  const load = (by: Caller, key: string, script: Script, options: LoadOptions = {}): Promise<unknown> =>
    by.ask({ does: 'load', key, script, options: { timeout: TIMEOUT, ...options } })
  const loadMany = (by: Caller, keys: readonly string[], script: Script, options: LoadOptions = {}): Promise<unknown> =>
    by.ask({ does: 'many', keys, script, options: { timeout: TIMEOUT, ...options } })
  const pings = (): Promise<unknown> => Promise.all(callers.map((each) => each.ping()))
  const tell = (what: string): void => {
    const { loads, loadFailures } = cache.stats().counters
    console.info(`${lineup.name}, ${what}: ${calls().length} calls of loaders, ${loads} loads, ${loadFailures} failed`)
  }

  test('many keys: each is loaded once by whom, and all get the same values', async () => {
    await start()
    const keyOf = (i: number): string => `key ${i}`
    const wishes = callers.map((_, i) => {
      const keys = Array.from({ length: 100 }, (_, j) => keyOf(50 * i + j))
      return i % 2 === 0 ? keys : keys.reverse()
    })
    const single = load(callers[3], keyOf(7), { ms: 50 })
    const asked = callers.flatMap((each, i) => [1, 2, 3].map(() => loadMany(each, wishes[i], { ms: 50 })))
    const got = (await Promise.all(asked)) as string[][]
    const loaded = calls().flat()
    expect(loaded.toSorted()).toEqual([...new Set(wishes.flat())].toSorted())
    const valueOf = (key: string): string => {
      return `${key} by ${callers.find(({ called }) => called.some((keys) => keys.includes(key)))!.pid}`
    }
    got.forEach((values, i) => expect(values).toEqual(wishes[Math.floor(i / 3)].map(valueOf)))
    expect(await single).toBe(valueOf(keyOf(7)))
    expect(cache.stats().counters.loads).toBe(loaded.length)
    tell(`${loaded.length} keys in bulk`)
  })

  test('many keys: one that another process loads is awaited, and the others are loaded', async () => {
    await start()
    const single = load(callers[0], 'b', { waits: true })
    await callers[0].hearCalled()
    const many = loadMany(callers[1], ['a', 'b', 'c'], {})
    await callers[1].hearCalled()
    expect(callers[1].called).toEqual([['a', 'c']])
    await expect.poll(() => cache.get('a')).toBe(`a by ${callers[1].pid}`)
    await callers[0].ask({ does: 'open' })
    const [first, second] = callers.map(({ pid }) => pid)
    expect(await many).toEqual([`a by ${second}`, `b by ${first}`, `c by ${second}`])
    expect(await single).toBe(`b by ${first}`)
  })

  test('many keys: what a process loads when it is killed is loaded by others, once each', async () => {
    await start()
    const keys = Array.from({ length: 50 }, (_, i) => `key ${i}`)
    void loadMany(callers[0], keys, { waits: true })
    await callers[0].hearCalled()
    const others = callers.slice(1)
    const asked = others.map((each) => loadMany(each, keys, { ms: 20 }))
    await pings()
    expect(others.flatMap(({ called }) => called)).toEqual([])
    await callers[0].kill()
    const got = await Promise.all(asked)
    const again = others.flatMap(({ called }) => called)
    expect(again.flat().toSorted()).toEqual(keys.toSorted())
    for (const values of got) expect(values).toEqual(got[0])
    expect(cache.stats().counters.loads).toBe(2 * keys.length)
    tell(`${keys.length} keys in bulk, killed`)
  })

  test('forced: one loader for all, others read the old value, and a killed one is replaced by one', async () => {
    await start()
    cache.set('key', 'old')
    const forced = { forceRefresh: true }
    const first = load(callers[0], 'key', { waits: true }, forced)
    await callers[0].hearCalled()
    const others = callers.slice(1).map((each) => load(each, 'key', {}, forced))
    await pings()
    for (const each of callers) {
      expect(await each.ask({ does: 'get', key: 'key' })).toBe('old')
      expect(await load(each, 'key', { error: 'not called' })).toBe('old')
    }
    expect(calls()).toHaveLength(1)
    await callers[0].ask({ does: 'open' })
    const value = `key by ${callers[0].pid}`
    for (const one of [first, ...others]) expect(await one).toBe(value)
    expect(calls()).toHaveLength(1)
    for (const each of callers) expect(await each.ask({ does: 'get', key: 'key' })).toBe(value)

    const { version } = cache.peekEntry('key')!
    void load(callers[1], 'key', { waits: true }, forced)
    await callers[1].hearCalled()
    const left = [callers[0], callers[2], callers[3]]
    const waiting = left.map((each) => load(each, 'key', {}, forced))
    await Promise.all(left.map((each) => each.ping()))
    await callers[1].kill()
    const values = await Promise.all(waiting)
    expect(calls()).toHaveLength(3)
    expect(new Set(values).size).toBe(1)
    expect(cache.peekEntry('key')!.version).toBeGreaterThan(version)
    expect(cache.get('key')).toBe(values[0])
    tell('forced, killed')
  })

  test('an expired value is served to all where a load fails, as long as they say', async () => {
    await start()
    const options = { ttl: TTL, staleIfError: 5 * TTL }
    await load(callers[0], 'key', {}, options)
    const value = `key by ${callers[0].pid}`
    clock.advance(TTL + 1)
    const failing = load(callers[1], 'key', { error: 'down', waits: true }, options)
    await callers[1].hearCalled()
    const waiting = [0, 2, 3].map((i) => load(callers[i], 'key', { error: 'down' }, options))
    await pings()
    await callers[1].ask({ does: 'open' })
    for (const one of [failing, ...waiting]) expect(await one).toBe(value)
    expect(cache.stats().counters.staleOnError).toBe(PROCESSES)
    for (const each of callers) {
      expect(await each.ask({ does: 'get', key: 'key' })).toBeUndefined()
      expect(await load(each, 'key', { error: 'down' }, options)).toBe(value)
      expect(await load(each, 'key', { error: 'down' }, { ...options, staleIfError: 0 })).toBe('failed: Error: down')
    }
    // Its process is killed while it loads: the next one fails, and serves the value.
    void load(callers[1], 'key', { waits: true }, options)
    // Its gate is open: it loads.
    await expect.poll(() => cache.get('key')).toBe(`key by ${callers[1].pid}`)
    clock.advance(6 * TTL + 1)
    for (const each of callers) expect(await load(each, 'key', { error: 'down' }, options)).toBe('failed: Error: down')
    tell('failed, stale')
  })

  test('a breaker has one state for all, and one probe of everybody, also when its process is killed', async () => {
    await start(BREAKER)
    for (const each of callers) expect(await load(each, 'key', { error: 'down' })).toBe('failed: Error: down')
    expect(cache.stats().breaker).toMatchObject({ state: 'open', opened: 1 })
    for (const each of callers) {
      expect(await load(each, 'key', {})).toBe(REFUSED)
      expect(await loadMany(each, ['a', 'b'], {})).toBe(REFUSED)
    }
    expect(calls()).toHaveLength(PROCESSES)

    clock.advance(600_001)
    const probe = load(callers[0], 'probe', { waits: true })
    await callers[0].hearCalled(2)
    expect(cache.stats().breaker).toMatchObject({ state: 'half-open' })
    await callers[0].kill()
    void probe
    const others = callers.slice(1)
    for (const each of others) expect(await load(each, 'key', {})).toBe(REFUSED)
    clock.advance(TIMEOUT + 1)
    const endings = await Promise.all(
      others.flatMap((each) => ['a', 'b', 'c'].map((key) => load(each, key, { ms: 20 }))),
    )
    // Each has called one loader before.
    const [called, ...more] = others.flatMap((each) => each.called.slice(1))
    expect(more).toEqual([])
    expect(called).toHaveLength(1)
    const loaded = endings.filter((one) => one !== REFUSED)
    expect(loaded.length).toBeGreaterThan(0)
    for (const one of loaded) expect(one).toMatch(new RegExp(`^${called[0]} by`))
    expect(cache.stats().breaker).toMatchObject({ state: 'closed', opened: 1 })
    for (const each of others) expect(await load(each, `for ${each.pid}`, {})).toBe(`for ${each.pid} by ${each.pid}`)
    tell(`breaker, probe killed, ${endings.length - loaded.length} refused meanwhile`)
  })

  test('reads of any process let an entry live on, near hits too, and without them it ends for all', async () => {
    cache.close()
    cache = new ConcurrentCache({
      file: scratch.file(),
      engine: lineup.engineOf(0),
      maxBytes: 2 ** 20,
      slidingTtl: SLIDING_TTL,
    })
    clock = new Clock(cache.handle)
    await start()
    cache.set('key', 'value')
    for (const each of callers) for (let i = 0; i < 3; i++) await each.ask({ does: 'get', key: 'key' })
    const versions = new Set<unknown>()
    for (let i = 0; i < 20; i++) {
      clock.advance(SLIDING_TTL * 0.6)
      const by = callers[i % PROCESSES]
      expect(await by.ask({ does: 'get', key: 'key' })).toBe('value')
      // Renewed a moment ago: no other process writes it again.
      const version = await by.ask({ does: 'version', key: 'key' })
      for (const each of callers) {
        expect(await each.ask({ does: 'get', key: 'key' })).toBe('value')
        expect(await each.ask({ does: 'version', key: 'key' })).toBe(version)
      }
      versions.add(version)
    }
    expect(versions.size).toBe(20)
    clock.advance(SLIDING_TTL * 0.9)
    for (const each of callers) expect(await each.ask({ does: 'has', key: 'key' })).toBe(true)
    clock.advance(SLIDING_TTL * 0.2)
    for (const each of callers) expect(await each.ask({ does: 'get', key: 'key' })).toBeUndefined()
    cache.clear() // what has expired, which a sweep would take
  })
})
