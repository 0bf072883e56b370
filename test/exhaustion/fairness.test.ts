import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled, seed } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './fairness.tasks.js'

/** Far more than there are cores. */
const WORKERS = 16
const MILLISECONDS = 3000
/** What the slowest worker gets done at least, of the mean of those with the same engine. */
const LEAST_SHARE = 0.2

const crew = new Crew<typeof tasks>(new URL('fairness.tasks.ts', import.meta.url), WORKERS)
afterAll(() => crew.dismiss())

describe.each(lineups)('with more workers than cores ($name)', (lineup) => {
  test(`each of ${WORKERS} gets at least ${LEAST_SHARE} of the mean done`, async () => {
    using map = crew.open<string, number>(lineup)
    const calls = await crew.run({ lineup, handle: map.handle }, 'workFor', scaled(MILLISECONDS))
    for (const engine of new Set(calls.map((_, worker) => lineup.engineOf(worker)))) {
      const alike = calls.filter((_, worker) => lineup.engineOf(worker) === engine)
      const mean = alike.reduce((sum, one) => sum + one, 0) / alike.length
      const share = Math.min(...alike) / mean
      console.info(`${lineup.name}, ${engine}: ${mean.toFixed(0)} calls/s on average, least share ${share.toFixed(2)}`)
      expect(share, `MAPSAFE_SEED=${seed}: ${alike.join(', ')}`).toBeGreaterThan(LEAST_SHARE)
    }
    expectSound(map)
  })
})
