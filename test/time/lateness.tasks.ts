import type { ConcurrentCache, Key } from '../../src/index.js'
import { monotonic } from '../../src/platform/system-clock.js'
import type { Shift } from '../support/crew.js'

const TTL = 50

/** What one worker saw. */
export interface Lateness {
  /** Entries that were absent before their time, in words. */
  readonly early: string[]
  /** The most hits in a row that began when the entry's time had passed. */
  readonly lateHits: number
}

/** Stores entries, its own and its neighbour's, and reads each until it is absent. */
export function liveAndExpire({ map, worker, workers }: Shift<number>, rounds: number): Lateness {
  const cache = map as unknown as ConcurrentCache<Key, number>
  const early: string[] = []
  let most = 0
  for (let round = 0; round < rounds; round++) {
    const key = `${worker} ${(worker + round) % workers}`
    const before = monotonic()
    cache.set(key, round, { ttl: TTL })
    const after = monotonic()
    for (let lateHits = 0; ;) {
      const asked = monotonic()
      if (cache.get(key) === undefined) {
        const told = monotonic()
        // A thousandth is what a region's time is rounded by.
        if (told < before + TTL - 0.001) early.push(`${key} was absent ${told - before} ms after its set began`)
        break
      }
      lateHits = asked >= after + TTL + 0.001 ? lateHits + 1 : 0
      most = Math.max(most, lateHits)
    }
  }
  return { early, lateHits: most }
}
