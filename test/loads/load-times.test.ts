import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, type LoadTimes } from '../../src/index.js'
import { countLoadTime, inspectLoadTimes, LOAD_TIME_BOUNDS } from '../../src/format/load-times.js'
import { MIN_REGION_BYTES } from '../../src/format/layout.js'
import { lineups } from '../support/run.js'

const loadsIn = ({ counts }: LoadTimes): number => counts.reduce((sum, count) => sum + count, 0)

test('a bound belongs to its range, and what is above all of them is counted', () => {
  const words = new Int32Array(new SharedArrayBuffer(MIN_REGION_BYTES))
  for (const bound of LOAD_TIME_BOUNDS) {
    countLoadTime(words, bound * 1000)
    countLoadTime(words, bound * 1000 + 1e-6)
  }
  countLoadTime(words, -1)
  countLoadTime(words, 61_000)
  const { bounds, counts, sum } = inspectLoadTimes(words)
  expect(bounds).toBe(LOAD_TIME_BOUNDS)
  expect([...bounds].sort((a, b) => a - b)).toEqual(bounds)
  expect([bounds[0], bounds.at(-1)]).toEqual([1e-4, 60])
  expect(counts).toEqual([2, ...LOAD_TIME_BOUNDS.slice(1).map(() => 2), 2])
  expect(sum).toBeCloseTo(2 * bounds.reduce((all, bound) => all + bound, 0) + 61, 6)
})

test('no clock that jumps spoils the sum', () => {
  const words = new Int32Array(new SharedArrayBuffer(MIN_REGION_BYTES))
  countLoadTime(words, Infinity)
  expect(inspectLoadTimes(words).sum).toBe(86_400)
})

describe.each(lineups)('$name', (lineup) => {
  test('each load is counted once, however it ends, by whichever thread', async () => {
    using cache = new ConcurrentCache<string, string>({ engine: lineup.engineOf(0) })
    using other = ConcurrentCache.attach<string, string>(cache.handle, { engine: lineup.engineOf(1) })
    await cache.getOrLoad('stored', async () => {
      await sleep(5)
      return 'a'
    })
    await cache.getOrLoad('stored', () => 'b')
    await other.getOrLoad('at once', () => 'c')
    await expect(other.getOrLoad('failed', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    await expect(cache.getOrLoad('late', () => new Promise<string>(() => undefined), { timeout: 20 })).rejects.toThrow()
    await cache.getManyOrLoad(
      ['one', 'two', 'none'],
      () =>
        new Map([
          ['one', '1'],
          ['two', '2'],
        ]),
    )
    await other.getOrLoad('stored', () => 'forced', { forceRefresh: true })
    const abort = new AbortController()
    const aborted = cache.getOrLoad('aborted', () => new Promise<string>(() => undefined), { signal: abort.signal })
    abort.abort(new Error('stop'))
    await expect(aborted).rejects.toThrow('stop')
    const { counters, loadTimes } = other.stats()
    expect(counters.loads).toBe(9)
    expect(loadsIn(loadTimes)).toBe(9)
    expect(loadTimes.sum).toBeGreaterThan(0.02)
    expect(cache.stats().loadTimes).toEqual(loadTimes)
  })

  test('a load under way when its cache is closed is counted for the others', async () => {
    using cache = new ConcurrentCache<string, string>({ engine: lineup.engineOf(0) })
    const closing = ConcurrentCache.attach<string, string>(cache.handle, { engine: lineup.engineOf(1) })
    const call = closing.getOrLoad('key', () => new Promise<string>(() => undefined))
    closing.close()
    await expect(call).rejects.toThrow('closed')
    expect(loadsIn(cache.stats().loadTimes)).toBe(1)
  })
})
