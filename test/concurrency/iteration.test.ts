import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './iteration.tasks.js'

const crew = new Crew<typeof tasks>(new URL('iteration.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

describe.each(lineups)('iteration while others write ($name)', (lineup) => {
  test.each([
    { workers: 2, lasting: 300 },
    { workers: 2, lasting: 5000 },
    { workers: 4, lasting: 2000 },
  ])(
    'of $workers workers: $lasting lasting keys exactly once, no key twice, none after its deletion',
    async ({ workers, lasting }) => {
      using map = new ConcurrentMap<number | string, number>({ engine: lineup.engineOf(0) })
      const { handle } = map
      for (let key = 0; key < lasting; key++) map.set(key, key)
      const finished = new SharedArrayBuffer(4)
      const run = { lineup, handle, workers }
      const faults = await crew.run(run, 'iterateWhileOthersWrite', finished, lasting, scaled(12))
      expect(faults.flat()).toEqual([])
      expectSound(map)
    },
  )
})
