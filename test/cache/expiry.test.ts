import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { Clock } from '../support/clock.js'
import { Crew } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import type * as tasks from './expiry.tasks.js'

const crew = new Crew<typeof tasks>(new URL('expiry.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('$name', (lineup) => {
  test.each([{ keys: 20 }, { keys: 500 }])(
    'among sweeps by all threads, nothing expired is read and nothing else is missing: $keys keys each',
    async ({ keys }) => {
      using cache = new ConcurrentCache<string, string>({ ...lineup.attach, engine: lineup.engineOf(0) })
      const faults = await crew.run({ lineup, handle: cache.handle }, 'writeAmongSweeps', keys, scaled(3000))
      expect(faults.flat()).toEqual([])
      expect(cache.verify().problems).toEqual([])
    },
  )

  test('counters that expire lose no count, and all expire at their time', async () => {
    using cache = new ConcurrentCache<string, number>({ ...lineup.attach, engine: lineup.engineOf(0) })
    const clock = new Clock(cache.handle)
    const expiresAt = clock.now() + 3_600_000
    const counts = await crew.run({ lineup, handle: cache.handle }, 'countUp', 5, scaled(5000), expiresAt)
    for (let key = 0; key < 5; key++) {
      const expected = counts.reduce((sum, each) => sum + each[key], 0)
      expect(cache.getEntry(`counter ${key}`)).toMatchObject({ value: expected, expiresAt })
    }
    clock.advance(3_700_000)
    expect([...cache]).toEqual([])
    expect(cache.verify().problems).toEqual([])
  })
})
