import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentMap } from '../../src/index.js'
import { REGISTRY_THREADS } from '../../src/format/layout.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './records.tasks.js'

const WORKERS = 4
const crew = new Crew<typeof tasks>(new URL('records.tasks.ts', import.meta.url), WORKERS)
afterAll(() => crew.dismiss())

describe.each(lineups)('more map objects than thread records ($name)', (lineup) => {
  test('are refused, nobody who has one is concerned, and closing gives them back', async () => {
    using map = crew.open<string, number>(lineup)
    const rounds = scaled(3)
    for (let round = 0; round < rounds; round++) {
      const taken = await crew.run({ lineup, handle: map.handle }, 'takeTheRecords', map.handle)
      // The test and each worker have one already.
      const opened = taken.reduce((sum, one) => sum + one.opened, 0)
      expect(opened, 'all there were').toBe(REGISTRY_THREADS - WORKERS - 1)
      for (const { refusal } of taken.slice(1)) expect(refusal).toBe('ERR_MAPSAFE_THREADS')
      expect(taken.flatMap(({ faults }) => faults)).toEqual([])
      expect(map.stats().threads).toHaveLength(1)
    }
    expect(map.get('count')).toBe(rounds * 3 * 200)
    expect(map.size).toBe(1)
    expect(map.repair()).toMatchObject({ hasLookedForLeaks: true, blocksFreed: 0, sizeCorrection: 0 })
    expectSound(map)
  })
})

test('a refused map object leaves nothing behind', () => {
  using map = new ConcurrentMap<string, number>()
  const others = Array.from({ length: REGISTRY_THREADS - 1 }, () => ConcurrentMap.attach(map.handle))
  const before = map.stats().bytesInUse
  for (let i = 0; i < scaled(1000); i++) {
    expect(() => ConcurrentMap.attach(map.handle)).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_THREADS' }) as Error,
    )
  }
  expect(map.stats().bytesInUse).toBe(before)
  expect(map.stats().threads).toHaveLength(REGISTRY_THREADS)
  for (const other of others) other.close()
  expect(map.stats().threads).toHaveLength(1)
  expectSound(map)
})
