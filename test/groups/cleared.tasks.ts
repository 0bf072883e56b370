import { ConcurrentCache, type ConcurrentMap, type Key, type MapNamespace } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

/** How deep namespaces lie in each other here. */
const DEPTH = 3

/** Readers count so many reads at once. */
const READS_COUNTED = 10

/** What one worker did, and what it met. */
export interface Findings {
  readonly reads: number
  readonly hits: number
  readonly clears: number
  /** One line for each value that is older than a clear which had returned before the call. */
  readonly stale: string[]
}

/** Returns namespaces, each of which lies in the one before. */
function spacesOf(map: ConcurrentMap<Key, number>): MapNamespace<number>[] {
  const spaces = [(map as ConcurrentMap<string, number>).namespace('a:')]
  while (spaces.length < DEPTH) spaces.push(spaces.at(-1)!.namespace(`${spaces.length}:`))
  return spaces
}

/**
 * Worker 0 changes what is kept, clears a namespace, and notes for it, and for those in it, that this has returned, again and
 * again, until the others have read as often. Those keep what they find, in all ways in which a value can be made, and read, by the namespace and by the map:
 * no value may be older than what was noted before the call.
 */
export async function readAmongClears(
  { map, worker, random }: Shift<number>,
  keys: number,
  times: number,
): Promise<Findings> {
  const spaces = spacesOf(map)
  const stale: string[] = []
  let reads = 0
  let hits = 0
  if (worker === 0) {
    let clears = 0
    for (let i = 1; i <= times || (map.peek('reads') ?? 0) < times; i++) {
      clears = i
      const cleared = random.below(DEPTH)
      map.set('source', i)
      spaces[cleared].clear()
      for (let depth = cleared; depth < DEPTH; depth++) map.set(`returned ${depth}`, i)
      if (random.chance(0.2)) await new Promise((resolve) => setImmediate(resolve))
    }
    map.set('over', 1)
    return { reads, hits, clears, stale }
  }
  const look = (): number => map.peek('source') ?? 0
  const isCache = map instanceof ConcurrentCache
  while (map.peek('over') === undefined && stale.length < 5) {
    const depth = random.below(DEPTH)
    const space = spaces[depth]
    const key = `key ${random.below(keys)}`
    const before = map.peek(`returned ${depth}`) ?? 0
    let way = random.below(isCache ? 10 : 8)
    if (isWalk(way) && random.chance(0.9)) way = 0
    const value = way < 8 ? read(map, space, key, way, look) : await load(map, space.prefix, key, way, look)
    if (++reads % READS_COUNTED === 0) map.increment('reads', READS_COUNTED)
    if (value !== undefined) hits++
    if (value !== undefined && value < before) {
      stale.push(`${space.prefix}${key} is ${value} in way ${way}, after ${before} had returned`)
    }
    // Whatever a clear left would also be left by what keeps an entry where it belongs.
    if (random.chance(0.02)) space.increment(`count ${key}`)
    if (random.chance(0.02)) await new Promise((resolve) => setImmediate(resolve))
  }
  map.increment('reads', times) // also where it ends early
  return { reads, hits, clears: 0, stale }
}

/** Whether it meets all entries. */
function isWalk(way: number): boolean {
  return way === 5 || way === 6
}

function read(
  map: ConcurrentMap<Key, number>,
  space: MapNamespace<number>,
  key: string,
  way: number,
  look: () => number,
): number | undefined {
  switch (way) {
    case 0:
    case 1:
      return space.getOrInsertComputed(key, look)
    case 2:
      return space.getMany([key])[0]
    case 3:
      return space.getEntry(key)?.value
    case 4:
      return map.get(space.prefix + key)
    case 5:
      return new Map(space).get(key)
    case 6:
      return new Map(map.snapshot()).get(space.prefix + key)
    default:
      return space.get(key)
  }
}

async function load(
  map: ConcurrentMap<Key, number>,
  prefix: string,
  key: string,
  way: number,
  look: () => number,
): Promise<number | undefined> {
  // The namespaces around it count as well: it is made as the others were.
  if (!(map instanceof ConcurrentCache)) throw new Error("the handle is not a cache's")
  let space = (map as ConcurrentCache<string, number>).namespace('a:')
  for (let depth = 1; space.prefix !== prefix; depth++) space = space.namespace(`${depth}:`)
  if (way === 8) return await space.getOrLoad(key, async () => Promise.resolve(look()))
  const [value] = await space.getManyOrLoad([key], ([each]) => [[each, look()]])
  return value
}
