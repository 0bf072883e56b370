import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const CYCLES = 1000
const WARM_UP = 300
const CYCLES_PER_COLLECTION = 100
const KEYS = 40
const MIB = 2 ** 20

/** What this process keeps, in bytes, once all that is unused was collected. */
async function memory(): Promise<{ heap: number; resident: number }> {
  for (let i = 0; i < 5; i++) {
    collect()
    await nextTurn()
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed + external + arrayBuffers, resident: rss }
}

/**
 * A native engine's memory, some 80 KiB, is given back once it was collected and its finalizers had a turn: often
 * enough here.
 */
async function repeat(cycle: (number: number) => void, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) {
    cycle(i)
    if (i % CYCLES_PER_COLLECTION !== 0) continue
    collect()
    await nextTurn()
  }
}

// Files have tests of their own, in test/process/life.test.ts.
describe.each(lineups)('opening, working and closing again and again leaves nothing ($name)', (lineup) => {
  test.each([ConcurrentMap, ConcurrentCache])('of a %o', async (Kind) => {
    using first = new Kind<string, unknown>({ maxBytes: 4 * MIB, engine: lineup.engineOf(0) })
    const cycle = (number: number): void => {
      const options = { engine: lineup.engineOf(number), nearCache: number % 3 === 0 ? (false as const) : {} }
      using map =
        first instanceof ConcurrentCache
          ? ConcurrentCache.attach<string, unknown>(first.handle, options)
          : ConcurrentMap.attach<string, unknown>(first.handle, options)
      const key = `key ${number % KEYS}`
      map.increment('cycles')
      map.set(key, { number, text: 'x'.repeat(number % 300) })
      map.set('passing', 'y'.repeat(number % 3000))
      map.get(key)
      map.delete('passing')
    }
    await repeat(cycle, 0, WARM_UP)
    const before = await memory()
    const pages = first.stats().pagesInUse
    await repeat(cycle, WARM_UP, WARM_UP + scaled(CYCLES))
    const after = await memory()

    expect(first.get('cycles')).toBe(WARM_UP + scaled(CYCLES))
    expect(first.stats().threads).toHaveLength(1)
    // Which pages the free blocks are in differs from time to time; how many there are does not grow.
    expect(first.stats().pagesInUse - pages).toBeLessThanOrEqual(8)
    expect(first.repair()).toMatchObject({ hasLookedForLeaks: true, blocksFreed: 0, sizeCorrection: 0, deadThreads: 0 })
    expect(after.heap - before.heap).toBeLessThan(2 * MIB)
    expect(after.resident - before.resident).toBeLessThan(32 * MIB)
    expectSound(first)
  })
})
