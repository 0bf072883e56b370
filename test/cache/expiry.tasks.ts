import { ConcurrentCache, type ConcurrentMap, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { HASH_END } from '../../src/engine/engine.js'
import type { Shift } from '../support/crew.js'

const HOUR = 3_600_000

function asCache<V>(map: ConcurrentMap<Key, V>): ConcurrentCache<Key, V> {
  if (map instanceof ConcurrentCache) return map as ConcurrentCache<Key, V>
  throw new Error("the handle is not a cache's")
}

/**
 * Writes keys that only this worker writes, first so that they have expired, then so that they have not, while it and
 * all others sweep. What has expired must never be read, and what has not must never be missing.
 */
export function writeAmongSweeps({ map, worker, random }: Shift<string>, keys: number, times: number): string[] {
  const cache = asCache(map)
  const engine = storeOf(cache).open()
  const faults: string[] = []
  const sweep = (): void => void engine.sweep(random.below(HASH_END), 200)
  for (let i = 0; i < times && faults.length < 5; i++) {
    const key = `${worker} ${random.below(keys)}`
    const before = random.pick(['warm', 'cold']) === 'warm' ? cache.get(key) : undefined
    if (before?.startsWith('expired') === true) faults.push(`${key} was read though ${before}`)
    cache.set(key, `expired ${i}`, { expiresAt: Date.now() - 10_000 })
    const expired = cache.get(key)
    if (expired !== undefined) faults.push(`${key} was read though ${expired}`)
    if (random.chance(0.1)) sweep()
    const value = `alive ${i}`
    const options = random.chance(0.5) ? { ttl: HOUR } : {}
    if (!cache.setIfAbsent(key, value, options)) faults.push(`setIfAbsent met the expired entry of ${key}`)
    if (random.chance(0.1)) sweep()
    if (random.chance(0.2) && !cache.touch(key, HOUR)) faults.push(`${key} could not be touched`)
    const found = cache.get(key)
    if (found !== value) faults.push(`${key} is ${found}, not ${value}`)
    if (random.chance(0.2) && cache.take(key) !== value) faults.push(`${key} was not there to be taken`)
  }
  return faults
}

/** Counts up counters that everybody counts up and that expire at one time. Returns how often. */
export function countUp({ map, random }: Shift<number>, keys: number, times: number, expiresAt: number): number[] {
  const cache = asCache(map)
  const counts = new Array<number>(keys).fill(0)
  for (let i = 0; i < times; i++) {
    const key = random.below(keys)
    cache.increment(`counter ${key}`, 1, { expiresAt })
    counts[key]++
  }
  return counts
}
