import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { monotonic } from '../../src/platform/system-clock.js'
import { advanceClock, ConcurrentCache, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { Crew } from '../support/crew.js'
import { lineups, nearAndFarLineups, scaled } from '../support/run.js'
import { processCode } from '../support/worker-code.js'
import type * as tasks from './lateness.tasks.js'
import type { StopReport } from './stopped.program.js'

const HOUR = 3_600_000
/** Near hits in a row that may go by a clock that stopped. */
const TRUSTING_HITS = 31

describe('a near hit', () => {
  /** A cache with another ticking clock. */
  function withClock(ticking: ArrayLike<number>): ConcurrentCache<string, number> {
    const cache = new ConcurrentCache<string, number>()
    Object.defineProperty(storeOf(cache).clock, 'ticking', { value: ticking })
    return cache
  }
  const stopped = (): number[] => [monotonic() - 1e9]
  const late = (milliseconds: number): ArrayLike<number> => ({
    length: 1,
    get 0() {
      return monotonic() - milliseconds
    },
  })

  /** Hits in a row that began after the time of an entry, of several entries at most. */
  function lateHits(cache: ConcurrentCache<string, number>, ttl: number): number {
    let most = 0
    for (let round = 0; round < 5; round++) {
      cache.set('key', round, { ttl })
      const end = monotonic() + ttl + 0.001
      let hits = 0
      for (let asked = monotonic(); cache.get('key') !== undefined && hits < 1000; asked = monotonic()) {
        if (asked > end) hits++
      }
      most = Math.max(most, hits)
    }
    return most
  }

  test('is never late while the ticking clock is less than 80 milliseconds late', () => {
    using cache = withClock(late(79))
    expect(lateHits(cache, 150)).toBe(0)
  })

  test('is late at most 31 times in a row if the ticking clock has stopped', () => {
    using cache = withClock(stopped())
    expect(lateHits(cache, 150)).toBeLessThanOrEqual(TRUSTING_HITS)
  })

  test('is never late of an entry that lives 100 milliseconds, even if the ticking clock has stopped', () => {
    using cache = withClock(stopped())
    expect(lateHits(cache, 100)).toBe(0)
    cache.set('long', 1, { ttl: HOUR })
    for (let i = 0; i < 3; i++) cache.get('long')
    cache.set('key', 1, { ttl: 100 }).get('key')
    for (const end = monotonic() + 101; monotonic() < end;);
    expect(cache.get('key')).toBeUndefined()
  })

  test('notices at once that the time was advanced', () => {
    using cache = withClock(stopped())
    cache.set('key', 1, { ttl: HOUR })
    for (let i = 0; i < 3; i++) expect(cache.get('key')).toBe(1)
    advanceClock(cache, HOUR)
    expect(cache.get('key')).toBeUndefined()
  })
})

const { path, execArgv } = processCode(new URL('stopped.program.ts', import.meta.url))

test.each(lineups)('a process that was stopped over an expiry hits at most 31 times more ($name)', async (lineup) => {
  const child = fork(path, [lineup.engineOf(0)], { execArgv })
  const reports: StopReport[] = []
  child.on('message', (report: StopReport) => reports.push(report))
  while (reports.length === 0) await once(child, 'message')
  child.kill('SIGSTOP')
  await sleep(600) // twice what the entry lives
  child.kill('SIGCONT')
  while (reports.length === 1) await once(child, 'message')
  child.kill()
  const [, { lateHits }] = reports
  expect(lateHits).toBeLessThanOrEqual(TRUSTING_HITS)
})

const crew = new Crew<typeof tasks>(new URL('lateness.tasks.ts', import.meta.url), 16, 'threads')
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('16 busy threads ($name)', (lineup) => {
  test('meet every entry until its time and none after it, by clocks read around the calls', async () => {
    const cache = new ConcurrentCache<Key, number>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
    const seen = await crew.run({ lineup, handle: cache.handle }, 'liveAndExpire', scaled(5))
    expect(seen.flatMap(({ early }) => early)).toEqual([])
    expect(Math.max(...seen.map(({ lateHits }) => lateHits))).toBeLessThanOrEqual(TRUSTING_HITS)
    cache.close()
  })
})
