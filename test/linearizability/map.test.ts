import { afterAll, describe, expect, test } from 'vitest'
import type { ConcurrentMap, Key } from '../../src/index.js'
import { HEADER_SHAPE_COUNT } from '../../src/format/layout.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { Crew } from '../support/crew.js'
import { lineups, nearAndFarLineups, scaled, type Lineup } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { expectLinearizable, overlapsIn } from './expect-linearizable.js'
import { historiesOf, keyModel, keysModel } from './map-model.js'
import type * as tasks from './recorder.tasks.js'

const crew = new Crew<typeof tasks>(new URL('recorder.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

/** Histories on one map: enough for its first splits, few enough that a split often meets the keys of the moment. */
const HISTORIES_PER_MAP = 300
/** About as many keys as go into a map before its first split. */
const KEYS_BEFORE = 500

describe.each(nearAndFarLineups)('every history is linearizable ($name)', (lineup) => {
  test.each([
    { workers: 2, calls: 32, keys: 1, maps: 20 },
    { workers: 3, calls: 32, keys: 2, maps: 20 },
    { workers: 4, calls: 24, keys: 3, maps: 20 },
  ])('$workers workers, $keys keys at a time, some $calls calls', async ({ workers, calls, keys, maps }) => {
    let overlaps = 0
    for (let i = 0; i < scaled(maps); i++) {
      using map = mapBeforeSplit(lineup)
      const clock = crew.memory(4)
      const extent = { histories: HISTORIES_PER_MAP, calls, keys }
      const recorded = await crew.run({ lineup, handle: map.handle, workers }, 'record', clock, extent)
      for (const operations of historiesOf(1, recorded.flat())) {
        overlaps += overlapsIn(operations)
        expectLinearizable(operations, keyModel)
      }
      expectSound(map)
    }
    expect(overlaps, 'calls that overlapped, without which nothing is tested').toBeGreaterThan(0)
  })
})

// Snapshots copy the whole map and make writes wait, so there are fewer of them; reads by the near-cache are as above.
describe.each(lineups)('every history with snapshots is linearizable ($name)', (lineup) => {
  test.each([
    { workers: 2, calls: 24, keys: 2 },
    { workers: 4, calls: 16, keys: 4 },
  ])('$workers workers, $keys keys at a time, some $calls calls', async ({ workers, calls, keys }) => {
    let overlaps = 0
    for (let i = 0; i < scaled(8); i++) {
      using map = mapBeforeSplit(lineup)
      const clock = crew.memory(4)
      const extent = { histories: 40, calls, keys }
      const recorded = await crew.run({ lineup, handle: map.handle, workers }, 'recordWithSnapshots', clock, extent)
      for (const operations of historiesOf(keys, recorded.flat())) {
        overlaps += overlapsIn(operations)
        const { key } = operations[0].call
        expectLinearizable(operations, keysModel(key - (key % keys), keys))
      }
      expectSound(map)
    }
    expect(overlaps, 'calls that overlapped, without which nothing is tested').toBeGreaterThan(0)
  })
})

describe.each(nearAndFarLineups)('every history is linearizable while all workers add shapes ($name)', (lineup) => {
  test.each([
    { workers: 2, calls: 24 },
    { workers: 4, calls: 24 },
  ])('$workers workers, some $calls calls', async ({ workers, calls }) => {
    for (let i = 0; i < scaled(4); i++) {
      using map = crew.open<Key, number>(lineup, { maxBytes: 2 ** 22 })
      const extent = { histories: HISTORIES_PER_MAP, calls, keys: 1 }
      const recorded = await crew.run({ lineup, handle: map.handle, workers }, 'recordShapes', crew.memory(4), extent)
      for (const operations of historiesOf(1, recorded.flat())) expectLinearizable(operations, keyModel)
      const shapes = storeOf(map).open().words[HEADER_SHAPE_COUNT]
      expect(shapes, 'shapes that were added, without which nothing is tested').toBeGreaterThan(50)
      expectSound(map)
    }
  })
})

function mapBeforeSplit(lineup: Lineup): ConcurrentMap<Key, number> {
  const map = crew.open<Key, number>(lineup, { maxBytes: 2 ** 20 })
  for (let key = 0; key < KEYS_BEFORE; key++) map.set(`before ${key}`, key)
  return map
}
