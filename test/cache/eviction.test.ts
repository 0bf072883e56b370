import { afterAll, describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { faultOf } from '../support/telling-value.js'
import type * as tasks from './eviction.tasks.js'

const MIB = 2 ** 20

const crew = new Crew<typeof tasks>(new URL('eviction.tasks.ts', import.meta.url), 3)
afterAll(() => crew.dismiss())

describe.each(lineups)('threads that evict each other’s entries ($name)', (lineup) => {
  test.each([
    { bound: 'few entries', maxEntries: 20, maxBytes: 8 * MIB, keys: 100 },
    { bound: 'many entries', maxEntries: 3000, maxBytes: 64 * MIB, keys: 10_000 },
    { bound: 'bytes', maxEntries: 0, maxBytes: 4 * MIB, keys: 3000 },
  ])('read only whole values of their keys, within a bound of $bound', async ({ maxEntries, maxBytes, keys }) => {
    using cache = new ConcurrentCache<number, unknown>({
      maxBytes,
      ...(maxEntries > 0 ? { maxEntries } : {}),
      engine: lineup.engineOf(0),
    })
    const { handle } = cache
    const faults = await crew.run({ lineup, handle }, 'useCache', scaled(4000), keys, maxEntries)
    expect(faults.flat()).toEqual([])
    for (const [key, value] of cache) expect(faultOf(key, value)).toBeUndefined()
    expectSound(cache)
    if (maxEntries > 0) expect(cache.size).toBeLessThanOrEqual(maxEntries)
    cache.clear()
    expectSound(cache)
    expect(cache.stats().memory.entries).toBe(0)
  })
})
