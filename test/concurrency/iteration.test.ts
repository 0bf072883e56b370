import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './iteration.tasks.js'

const crew = new Crew<typeof tasks>(new URL('iteration.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(lineups)('iteration while others write ($name)', (lineup) => {
  test.each([
    { workers: 2, lasting: 300, passing: 8000, keyLength: 0, passes: 12 },
    { workers: 2, lasting: 5000, passing: 8000, keyLength: 0, passes: 12 },
    { workers: 4, lasting: 2000, passing: 8000, keyLength: 0, passes: 12 },
    // Few segments, cleaned up often, and long to collect (larger entries would not be left as tombstones).
    { workers: 2, lasting: 100, passing: 500, keyLength: 450, passes: 300 },
  ])(
    'of $workers workers: $lasting lasting keys exactly once, no key twice, none after its deletion, $passing passing',
    async ({ workers, passes, ...scene }) => {
      using map = crew.open<number | string, number>(lineup)
      const { handle } = map
      for (let key = 0; key < scene.lasting; key++) map.set(key, key)
      const finished = crew.memory(4)
      const faults = await crew.run({ lineup, handle, workers }, 'iterateWhileOthersWrite', finished, {
        ...scene,
        passes: scaled(passes),
      })
      expect(faults.flat()).toEqual([])
      expectSound(map)
    },
  )
})
