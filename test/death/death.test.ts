import { describe, expect, test } from 'vitest'
import { lineups, scaled, seed } from '../support/run.js'
import { faults, tryDeaths } from './trial.js'

/**
 * From a death to the end of every call that it was in the way of: the native engine's bound, and that of the
 * TypeScript engine.
 */
const BOUND_MS = { native: 100, typescript: 2000, mixed: 2000 }

describe.each(faults)('%s in the middle of writes', (fault) => {
  test.each(lineups)('costs no acknowledged write and no time ($name)', async (lineup) => {
    const { losses, stalls, problems } = await tryDeaths(fault, lineup, scaled(14))
    expect(losses, `MAPSAFE_SEED=${seed}`).toEqual([])
    expect(problems, `MAPSAFE_SEED=${seed}`).toEqual([])
    expect(stalls[Math.floor(stalls.length * 0.8)]).toBeLessThan(BOUND_MS[lineup.name as keyof typeof BOUND_MS])
  })
})
