import { afterAll, describe, expect, test } from 'vitest'
import type { Key } from '../../src/index.js'
import { Crew, type CrewKind } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { openMemory } from '../support/shared-memory.js'
import { expectSound } from '../support/sound.js'
import { expectLinearizable, overlapsIn } from './expect-linearizable.js'
import { historiesOf, keyModel } from './map-model.js'
import * as tasks from './restructuring.tasks.js'

const WORKERS = 3
const CALLS = { calls: 32, keys: 2 }

const kinds: readonly CrewKind[] = ['threads', 'processes']

describe.each(kinds)('while a map takes another shape, every history is linearizable (%s)', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('restructuring.tasks.ts', import.meta.url), WORKERS, kind)
  afterAll(() => crew.dismiss())

  describe.each(nearAndFarLineups)('$name', (lineup) => {
    test.each([
      { what: 'segments split and join', task: 'recordWhileJoining', histories: 3000 },
      { what: 'entries move', task: 'recordWhileMoving', histories: 3000 },
    ] as const)('$what', async ({ task, histories }) => {
      let overlaps = 0
      using map = crew.open<Key, number>(lineup, { maxBytes: 2 ** 20 })
      const clock = crew.memory(tasks.CLOCK_BYTES)
      const extent = { ...CALLS, histories: scaled(histories) }
      const recorded = await crew.run({ lineup, handle: map.handle }, task, clock, extent)
      for (const operations of historiesOf(1, recorded.flat())) {
        overlaps += overlapsIn(operations)
        expectLinearizable(operations, keyModel)
      }
      expectSound(map)
      const happened = new Int32Array(openMemory(clock))[tasks.HAPPENED]
      expect(overlaps, 'calls that overlapped, without which nothing is tested').toBeGreaterThan(0)
      expect(happened, 'joins or moves').toBeGreaterThan(10)
    })
  })
})
