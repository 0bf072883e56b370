/** All threads add shapes at once. */
import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled, seed } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './crowd.tasks.js'

const WORKERS = 4
/** Of 4,096 that a map of 16 MiB has room for. */
const SHAPES = 600

const crew = new Crew<typeof tasks>(new URL('crowd.tasks.ts', import.meta.url), WORKERS)
afterAll(() => crew.dismiss())

describe.each(lineups)('$name', (lineup) => {
  test('all threads get the same ids for the same names, dense, parents before children', async () => {
    for (let round = 0; round < scaled(2); round++) {
      using map = new ConcurrentMap<string, unknown>({ engine: lineup.engineOf(0), maxBytes: 2 ** 24 })
      const results = await crew.run({ lineup, handle: map.handle }, 'addAll', seed, SHAPES)
      for (const result of results) expect(result, `MAPSAFE_SEED=${seed}`).toEqual(results[0])
      expect(Object.values(results[0]).sort((a, b) => a - b)).toEqual(Array.from({ length: SHAPES }, (_, i) => i + 1))
      const engine = storeOf(map).open()
      for (const [key, id] of Object.entries(results[0])) {
        const { parent, name } = engine.readShape(id)!
        expect(`${parent} ${name}`).toBe(key)
      }
      expectSound(map)
    }
  })
})
