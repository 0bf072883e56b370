import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Clock } from '../../src/store/clock.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { Clock as TestClock } from '../support/clock.js'
import { lineups } from '../support/run.js'

/** Of a thread that has to wait for a processor, on a busy machine. */
const LATE_MS = 500

describe.each(lineups)('$name', (lineup) => {
  test('the clock of near hits agrees with the one of the engine, and with what a test adds', async () => {
    using cache = new ConcurrentCache<Key, unknown>({ engine: lineup.engineOf(0) })
    const engine = storeOf(cache).open()
    const clock = new Clock(engine)
    const seen = new Set<number>()
    for (let i = 0; i < 20; i++) {
      const late = engine.now() - clock.now()
      expect(late).toBeGreaterThanOrEqual(-1)
      expect(late).toBeLessThan(LATE_MS)
      seen.add(clock.now())
      await sleep(10)
    }
    expect(seen.size, 'it ticks').toBeGreaterThan(1)
    const before = clock.now()
    new TestClock(cache.handle).advance(1e9)
    expect(clock.now() - before).toBeGreaterThanOrEqual(1e9)
    expect(clock.now() - before).toBeLessThan(1e9 + LATE_MS)
  })
})
