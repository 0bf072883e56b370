import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './scan.tasks.js'

const crew = new Crew<typeof tasks>(new URL('scan.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(lineups)('several workers share a scan ($name)', (lineup) => {
  test.each([1, 3, 4])('%i workers meet every lasting key once between them while the map grows', async (workers) => {
    using map = crew.open<number | string, number>(lineup)
    const keys = scaled(6000)
    for (let key = 0; key < keys; key++) map.set(key, key)
    const met = await crew.run({ lineup, handle: map.handle, workers }, 'scanPart', 100, 300)
    expect((met.flat() as number[]).sort((a, b) => a - b)).toEqual(Array.from({ length: keys }, (_, i) => i))
    expectSound(map)
  })
})
