import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { Crew, type CrewKind } from '../support/crew.js'
import { nearAndFarLineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { checkLinearizable } from './checker.js'
import { expectLinearizable, overlapsIn } from './expect-linearizable.js'
import { groupModel, type EndCall } from './groups-model.js'
import type * as tasks from './groups.tasks.js'
import { historiesOf, type MapCall } from './map-model.js'

const WORKERS = 4
/** About as many keys as go into a map before its first split. */
const KEYS_BEFORE = 500

test('the model refuses what a group must not do', () => {
  const sequence = (...calls: (MapCall | EndCall)[]): boolean => {
    const history = calls.map((call, i) => ({ worker: 0, invoked: 2 * i, returned: 2 * i + 1, call }))
    return checkLinearizable(history, groupModel(4, 2)).isLinearizable
  }
  const set = (key: number): MapCall => ({ name: 'set', key, value: 5 })
  const get = (key: number, result?: number): MapCall => ({ name: 'get', key, result })
  const end: EndCall = { name: 'end', key: 4 }
  expect(sequence(set(4), set(5), get(4, 5), get(5, 5))).toBe(true)
  expect(sequence(set(4), set(5), end, get(4), get(5))).toBe(true)
  expect(sequence(set(4), set(5), end, get(5, 5))).toBe(false)
  expect(sequence(set(4), end, set(4), get(4))).toBe(false)
  expect(sequence(set(4), end, set(4), get(4, 5))).toBe(true)
})

describe.each<CrewKind>(['threads', 'processes'])('%s', (kind) => {
  const crew = new Crew<typeof tasks>(new URL('groups.tasks.ts', import.meta.url), WORKERS, kind)
  afterAll(() => crew.dismiss())

  describe.each(nearAndFarLineups)('every history with groups that end is linearizable ($name)', (lineup) => {
    test.each(['a namespace of a map', 'a tag of a cache'])('%s', async (group) => {
      using scratch = new Scratch()
      let [overlaps, ends] = [0, 0]
      for (let i = 0; i < scaled(3); i++) {
        const file = kind === 'threads' ? undefined : scratch.file()
        const options = { maxBytes: 2 ** 22, file, engine: lineup.engineOf(0) }
        using map =
          group === 'a tag of a cache'
            ? new ConcurrentCache<Key, number>(options)
            : new ConcurrentMap<Key, number>(options)
        for (let key = 0; key < KEYS_BEFORE; key++) map.set(`before ${key}`, key)
        const extent = { histories: 100, calls: 24, keys: 2 }
        const run = { lineup, handle: map.handle, workers: WORKERS }
        const recorded = await crew.run(run, 'recordWithEnds', crew.memory(4), extent)
        for (const operations of historiesOf(extent.keys, recorded.flat())) {
          overlaps += overlapsIn(operations)
          ends += operations.filter(({ call }) => call.name === 'end').length
          const { key } = operations[0].call
          expectLinearizable(operations, groupModel(key - (key % extent.keys), extent.keys))
        }
        expect(map.verify().problems).toEqual([])
      }
      expect(overlaps, 'calls that overlapped, without which nothing is tested').toBeGreaterThan(0)
      expect(ends).toBeGreaterThan(0)
    })
  })
})
