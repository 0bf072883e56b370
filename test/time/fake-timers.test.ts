import { afterEach, describe, expect, test, vi } from 'vitest'
import { advanceClock, ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { nearAndFarLineups } from '../support/run.js'

const HOUR = 3_600_000
const sleeper = new Int32Array(new SharedArrayBuffer(4))
const sleep = (milliseconds: number): void => void Atomics.wait(sleeper, 0, 0, milliseconds)
const EVERYTHING = { toFake: ['Date', 'hrtime', 'performance', 'setTimeout', 'setInterval'] } as const
const refused = (code: string): Error => expect.objectContaining({ code }) as Error

afterEach(() => {
  vi.useRealTimers()
})

describe.each(nearAndFarLineups)('$name', (lineup) => {
  const engine = lineup.engineOf(0)

  function expectRealTime(Cache: typeof ConcurrentCache): void {
    const cache = new Cache<string, number>({ engine, ...lineup.attach, maxBytes: 2 ** 20 })
    cache.set('key', 1, { ttl: 100 }).set('long', 1, { ttl: HOUR })
    for (const key of ['key', 'long']) cache.get(key)
    vi.setSystemTime(Date.now() + 24 * HOUR)
    vi.advanceTimersByTime(24 * HOUR)
    expect(cache.get('long')).toBe(1)
    sleep(101)
    expect(cache.get('key')).toBeUndefined()
    expect(cache.get('long')).toBe(1)
    cache.close()
  }

  test('takes real time under fake timers', () => {
    vi.useFakeTimers({ ...EVERYTHING, toFake: [...EVERYTHING.toFake] })
    expectRealTime(ConcurrentCache)
  })

  test('takes real time under fake timers that were there before it was loaded', async () => {
    vi.useFakeTimers({ ...EVERYTHING, toFake: [...EVERYTHING.toFake] })
    vi.resetModules()
    const { ConcurrentCache: Fresh } = await import('../../src/index.js')
    expectRealTime(Fresh)
  })

  test('advanceClock moves the time of all who have the cache open', () => {
    const first = new ConcurrentCache<string, number>({ engine, ...lineup.attach, maxBytes: 2 ** 20 })
    const second = ConcurrentCache.attach<string, number>(first.handle, {
      ...lineup.attach,
      engine: lineup.engineOf(1),
    })
    first.set('key', 1, { ttl: HOUR })
    const { expiresAt } = first.getEntry('key')!
    for (const cache of [first, second]) expect([cache.get('key'), cache.get('key')]).toEqual([1, 1])
    advanceClock(second, HOUR - 60_000)
    for (const cache of [first, second]) expect(cache.getEntry('key')).toMatchObject({ value: 1, expiresAt })
    advanceClock(first, 60_000)
    for (const cache of [first, second]) expect(cache.get('key')).toBeUndefined()
    for (const wrong of [-1, NaN, Infinity, '1' as unknown as number]) {
      expect(() => {
        advanceClock(first, wrong)
      }).toThrow(refused('ERR_MAPSAFE_OPTIONS'))
    }
    using map = new ConcurrentMap({ maxBytes: 2 ** 20 })
    expect(() => {
      advanceClock(map as unknown as ConcurrentCache<string, number>, 1)
    }).toThrow(refused('ERR_MAPSAFE_OPTIONS'))
    for (const cache of [first, second]) cache.close()
    expect(() => {
      advanceClock(first, 1)
    }).toThrow(refused('ERR_MAPSAFE_CLOSED'))
  })
})
