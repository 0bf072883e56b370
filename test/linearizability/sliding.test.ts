import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache, type Key } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { nearAndFarLineups, scaled, seed } from '../support/run.js'
import { faultsOf, type Read } from './sliding-rules.js'
import type * as tasks from './sliding.tasks.js'

const WORKERS = 4
const crew = new Crew<typeof tasks>(new URL('sliding.tasks.ts', import.meta.url), WORKERS, 'threads')
afterAll(() => crew.dismiss())

describe.each(nearAndFarLineups)('every history of entries that reads renew is explained ($name)', (lineup) => {
  test.each([{ slidingTtl: 1 }, { slidingTtl: 4 }])('a lifetime of $slidingTtl ms', async ({ slidingTtl }) => {
    const cache = new ConcurrentCache<Key, string>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20, slidingTtl })
    const extent = { histories: scaled(Math.ceil(60 / slidingTtl)), reads: 16, slidingTtl }
    const reads = (await crew.run({ lineup, handle: cache.handle }, 'record', extent)).flat()
    const ends = reads.filter(({ found }) => !found)
    const renewed = reads.filter(({ found, key, invoked }) => found && invoked > storedAt(reads, key) + slidingTtl)
    for (let key = 0; key < extent.histories; key++) {
      const faults = faultsOf(
        reads.filter((read) => read.key === key),
        slidingTtl,
      )
      expect(faults, `MAPSAFE_SEED=${seed}`).toEqual([])
    }
    // Some entries lived on by their reads, and some ended.
    expect(ends.length).toBeGreaterThan(0)
    expect(renewed.length).toBeGreaterThan(0)
    cache.close()
  })
})

function storedAt(reads: readonly Read[], key: number): number {
  return reads.find((read) => read.key === key && read.worker === 0)!.returned
}

test('the rules refuse an entry that comes back, and one that lives on', () => {
  const read = (invoked: number, found: boolean): Read => {
    return { key: 0, worker: 0, invoked, returned: invoked + 0.1, found, renews: true }
  }
  expect(faultsOf([read(0, true), read(1, true), read(3, false), read(4, false)], 2)).toEqual([])
  expect(faultsOf([read(0, true), read(3, false), read(4, true)], 2)).toHaveLength(2)
  expect(faultsOf([read(0, true), read(2.5, true)], 2)).toHaveLength(1)
})
