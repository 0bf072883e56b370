import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { checkLinearizable } from './checker.js'
import { expectLinearizable, overlapsIn } from './expect-linearizable.js'
import { feedModel, type FeedCall } from './feed-model.js'
import type * as tasks from './feed.tasks.js'
import { historiesOf } from './map-model.js'

const WORKERS = 4
/** About as many keys as go into a map before its first split. */
const KEYS_BEFORE = 500

test('the model refuses what a feed must not tell', () => {
  const sequence = (...calls: FeedCall[]): boolean => {
    const history = calls.map((call, i) => ({ worker: 0, invoked: 2 * i, returned: 2 * i + 1, call }))
    return checkLinearizable(history, feedModel).isLinearizable
  }
  const set: FeedCall = { name: 'set', key: 1, value: 5 }
  const read = (version: number): FeedCall => ({ name: 'getEntry', key: 1, result: { value: 5, version } })
  const gone: FeedCall = { name: 'delete', key: 1, result: true }
  const told = (name: 'told' | 'settled', type: 'set' | 'deleted', version: number): FeedCall => {
    return { name, key: 1, type, version }
  }
  expect(sequence(set, told('told', 'set', 4), read(4), told('settled', 'set', 4))).toBe(true)
  expect(sequence(set, told('told', 'set', 4), read(6))).toBe(true)
  expect(sequence(set, told('told', 'set', 4), read(2))).toBe(false)
  expect(sequence(set, read(2), told('told', 'set', 4))).toBe(false)
  expect(sequence(set, gone, told('told', 'deleted', 4), set, read(6), told('settled', 'set', 6))).toBe(true)
  expect(sequence(set, gone, told('told', 'deleted', 4), set, read(4))).toBe(false)
  expect(sequence(set, set, read(4), told('settled', 'set', 2))).toBe(false)
  expect(sequence(set, gone, told('settled', 'set', 2))).toBe(false)
  expect(sequence(set, gone, told('settled', 'deleted', 4))).toBe(true)
  expect(sequence(set, told('settled', 'deleted', 4))).toBe(false)
})

describe.each(['threads', 'processes'] as const)('%s', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('feed.tasks.ts', import.meta.url), WORKERS, kind)
  afterAll(() => crew.dismiss())

  test.each(nearAndFarLineups)('every history with changes that are told is linearizable ($name)', async (lineup) => {
    let [overlaps, told, missed] = [0, 0, 0]
    for (let i = 0; i < scaled(3); i++) {
      using map = crew.open<string | number, number>(lineup, { maxBytes: 2 ** 23 })
      for (let key = 0; key < KEYS_BEFORE; key++) map.set(`before ${key}`, key)
      const extent = { histories: 60, calls: 24, keys: 2 }
      const run = { lineup, handle: map.handle, workers: WORKERS }
      const followed = await crew.run(run, 'recordWithChanges', crew.memory(4), extent)
      for (const operations of historiesOf(
        1,
        followed.flatMap((each) => each.operations),
      )) {
        overlaps += overlapsIn(operations)
        expectLinearizable(operations, feedModel)
      }
      for (const each of followed) {
        told += each.told
        missed += each.missed
      }
      expectSound(map)
    }
    console.info(`${kind}, ${lineup.name}: ${told} changes told, ${missed} times some were missed`)
    expect(overlaps, 'calls that overlapped, without which nothing is tested').toBeGreaterThan(0)
    expect(told).toBeGreaterThan(0)
  })
})
