import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { faultOf } from '../support/telling-value.js'
import type * as tasks from './values.tasks.js'

const crew = new Crew<typeof tasks>(new URL('values.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('a value read is a value written, whole and for this key ($name)', (lineup) => {
  test.each([
    { workers: 2, keys: 1, writes: 0.5 },
    { workers: 2, keys: 20, writes: 0.5 },
    { workers: 4, keys: 3, writes: 0.1 },
  ])('$workers workers, $keys keys, writes $writes of the operations', async ({ workers, keys, writes }) => {
    using map = crew.open<number, unknown>(lineup)
    const { handle } = map
    const times = scaled(30_000 / workers)
    const faults = await crew.run({ lineup, handle, workers }, 'readAndWrite', keys, times, writes)
    expect(faults.flat()).toEqual([])
    for (const [key, value] of map) expect(faultOf(key, value)).toBeUndefined()
    expectSound(map)
  })
})
