import { ConcurrentCache, type ConcurrentMap, type Key } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

function asCache(map: ConcurrentMap<Key, number>): ConcurrentCache<Key, number> {
  if (map instanceof ConcurrentCache) return map as ConcurrentCache<Key, number>
  throw new Error("the handle is not a cache's")
}

/** What one worker did, and what it met. */
export interface Findings {
  readonly reads: number
  readonly hits: number
  readonly invalidations: number
  /** One line for each value that is older than an invalidation which had returned before the call. */
  readonly stale: string[]
}

/**
 * Worker 0 changes what is cached, invalidates its tags, and notes that this has returned, again and again. The others cache what
 * they find, in all ways in which a value can be made, and read: no value may be older than what was noted before the call.
 */
export async function readAmongInvalidations(
  { map, worker, random }: Shift<number>,
  keys: number,
  times: number,
): Promise<Findings> {
  const cache = asCache(map)
  const stale: string[] = []
  let reads = 0
  let hits = 0
  if (worker === 0) {
    for (let i = 1; i <= times; i++) {
      cache.set('source', i)
      cache.invalidateTags(random.chance(0.5) ? ['one'] : ['two', 'three'])
      cache.set('returned', i)
      if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve))
    }
    cache.set('over', 1)
    return { reads, hits, invalidations: times, stale }
  }
  const look = (): number => cache.peek('source') ?? 0
  const options = { tags: ['one', 'two'] }
  while (cache.peek('over') === undefined && stale.length < 5) {
    const key = `key ${random.below(keys)}`
    const before = cache.peek('returned') ?? 0
    let value: number | undefined
    const way = random.below(8)
    if (way === 0) value = await cache.getOrLoad(key, look, options)
    else if (way === 1) value = await cache.getOrLoad(key, async () => Promise.resolve(look()), options)
    else if (way === 2) value = cache.getOrInsertComputed(key, look, options)
    else if (way === 3) [value] = cache.getMany([key])
    else if (way === 4) value = cache.getEntry(key)?.value
    else if (way === 5) [value] = await cache.getManyOrLoad([key], ([each]) => [[each, look()]], options)
    else if (way === 6 && random.chance(0.02)) value = new Map(cache.snapshot()).get(key)
    else value = cache.get(key)
    reads++
    if (value !== undefined) hits++
    if (value !== undefined && value < before)
      stale.push(`${key} is ${value} in way ${way}, after ${before} had returned`)
    if (random.chance(0.05)) cache.touch(key)
  }
  return { reads, hits, invalidations: 0, stale }
}
