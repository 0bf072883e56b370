import { afterAll, describe, expect, test } from 'vitest'
import { SLOTS_PER_BUCKET } from '../../src/format/layout.js'
import { Crew } from '../support/crew.js'
import { neighbouringKeys } from '../support/neighbouring-keys.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './growth.tasks.js'

const crew = new Crew<typeof tasks>(new URL('growth.tasks.ts', import.meta.url), 8)
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('growth under use ($name)', (lineup) => {
  test.each([2, 8])('%i workers fill an empty map; each finds its keys all the while', async (workers) => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const keys = scaled(25_000)
    const missing = await crew.run({ lineup, handle, workers }, 'fill', keys)
    expect(missing.flat()).toEqual([])
    expect(map.size).toBe(keys)
    for (let i = 0; i < keys; i++) if (map.get(`key ${i}`) !== i) expect.fail(`key ${i} is lost`)
    expectSound(map)
  })

  test.each([2, 4])('%i workers insert the same keys into an empty map; each key goes in once', async (workers) => {
    using map = crew.open<number, number>(lineup)
    const { handle } = map
    const keys = scaled(20_000)
    const inserted = await crew.run({ lineup, handle, workers }, 'fillTogether', keys)
    expect(inserted.reduce((sum, count) => sum + count, 0)).toBe(keys)
    expect(map.size).toBe(keys)
    expectSound(map)
  })

  // Small maps split at once and then are cleaned up often; each round grows one anew.
  test.each([
    { workers: 2, lasting: 600, passing: 4000, times: 15_000 },
    { workers: 2, lasting: 600, passing: 50, times: 15_000 },
    { workers: 4, lasting: 2000, passing: 1000, times: 8000 },
  ])(
    'keys that are there throughout are always found: $workers workers, $lasting lasting keys, $passing passing',
    async ({ workers, lasting, passing, times }) => {
      for (let round = 0; round < scaled(4); round++) {
        using map = crew.open<number | string, number>(lineup)
        const { handle } = map
        for (let key = 0; key < lasting; key++) map.set(key, key)
        const missed = await crew.run({ lineup, handle, workers }, 'lookWhileOthersMove', lasting, passing, times)
        expect(missed.flat()).toEqual([])
        expectSound(map)
      }
    },
  )

  test.each([
    { way: 'get', keyLength: 0, rounds: 500 },
    // Long keys take long to collect: all the more time to bring one home behind the collector's back.
    { way: 'keys', keyLength: 450, rounds: 1500 },
  ] as const)('keys brought home from the stash are found all the while: $way', async ({ way, keyLength, rounds }) => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const [home, next] = neighbouringKeys(handle, [SLOTS_PER_BUCKET + 6, SLOTS_PER_BUCKET])
    const lasting = home.slice(SLOTS_PER_BUCKET)
    // Deleted one after the other, the last of them let the tombstones pass the limit that makes a segment clean up.
    const others = Array.from({ length: 280 }, (_, i) => `other ${i}`.padEnd(keyLength, '.'))
    const crowd = [...home.slice(0, SLOTS_PER_BUCKET), ...next, ...others]
    const shared = crew.memory(8)
    const run = { lineup, handle, workers: 2 }
    const missed = await crew.run(run, 'lookWhileBroughtHome', shared, crowd, lasting, scaled(rounds), way)
    expect(missed.flat()).toEqual([])
    expectSound(map)
  })
})
