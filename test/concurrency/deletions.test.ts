import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { neighbouringKeys } from '../support/neighbouring-keys.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './deletions.tasks.js'

const crew = new Crew<typeof tasks>(new URL('deletions.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('what is deleted is gone ($name)', (lineup) => {
  test.each([
    { workers: 2, keys: 3 },
    { workers: 2, keys: 400 },
    { workers: 4, keys: 2000 },
  ])('$workers workers that delete $keys keys each see no ghost', async ({ workers, keys }) => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const ownKeys = Array.from({ length: workers }, (_, worker) => {
      return Array.from({ length: keys }, (_, i) => `${worker} ${i}`)
    })
    const faults = await crew.run({ lineup, handle, workers }, 'setAndDelete', ownKeys, scaled(60_000 / workers))
    expect(faults.flat()).toEqual([])
    expectSound(map)
  })

  test('two workers that delete in one crowded bucket and the next see no ghost', async () => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    // Half of the first worker's keys are twice what a bucket holds, so that many live among the second's.
    const ownKeys = neighbouringKeys(handle, [44, 6])
    const faults = await crew.run({ lineup, handle, workers: 2 }, 'setAndDelete', ownKeys, scaled(160_000))
    expect(faults.flat()).toEqual([])
    expectSound(map)
  })

  test('clear takes away what was there before it, while others insert', async () => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const faults = await crew.run({ lineup, handle, workers: 2 }, 'setAndClear', 1000, scaled(30_000))
    expect(faults.flat()).toEqual([])
    expectSound(map)
    map.clear()
    expect(map.size).toBe(0)
    expect([...map]).toEqual([])
    expectSound(map)
  })

  test('inserts that begin after a clear stay', async () => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const workers = 3
    const faults = await crew.run({ lineup, handle, workers }, 'insertAfterClear', 500, scaled(10))
    expect(faults.flat()).toEqual([])
    expect(map.size).toBe(workers * 500)
    expectSound(map)
  })
})
