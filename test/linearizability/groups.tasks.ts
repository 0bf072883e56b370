import { ConcurrentCache, type ConcurrentMap, type Key } from '../../src/index.js'
import type { Shift } from '../support/crew.js'
import type { SharedMemory } from '../support/shared-memory.js'
import type { Operation } from './checker.js'
import type { EndCall } from './groups-model.js'
import type { MapCall } from './map-model.js'
import { CALLS, disturb, getOrInsertComputed, recordCalls, type Extent, type Make } from './recorder.tasks.js'

type Numbers = ConcurrentMap<Key, number>
type Method = (...given: unknown[]) => unknown

/** Where the methods that write take their options. */
const OPTIONS_AT: Readonly<Record<string, number | undefined>> = {
  set: 2,
  setIfAbsent: 2,
  setIfVersion: 3,
  replace: 2,
  swap: 2,
  compareAndSwap: 3,
  getOrInsert: 2,
  update: 2,
  increment: 2,
  incrementEntry: 2,
}

/** The cache, seen by one who gives every entry the tags. */
function tagged(cache: Numbers, tags: string[]): Numbers {
  return new Proxy(cache, {
    get: (_, name: string) => {
      const at = OPTIONS_AT[name]
      return (...given: unknown[]) => {
        if (at !== undefined) given[at] = { ...(given[at] as object | undefined), tags }
        return (cache[name as keyof Numbers] as unknown as Method).apply(cache, given)
      }
    },
  })
}

/** The map through a namespace, whose keys are texts. */
function inNamespace(map: Numbers, prefix: string): Numbers {
  const space = map.namespace(prefix) as unknown as Readonly<Record<string, Method>>
  const textOf = (keys: unknown): unknown => (Array.isArray(keys) ? keys.map(String) : String(keys))
  return new Proxy(map, {
    get: (_, name: string) => {
      return (keys: unknown, ...given: unknown[]) => space[name](textOf(keys), ...given)
    },
  })
}

/** A value that is computed while its group ends is returned and not stored, as if it was inserted at the last moment. */
const calls = CALLS.filter((make) => make !== getOrInsertComputed)

/** Makes random calls on the keys of a group, and ends the group now and then. Each history has a group of its own. */
export function recordWithEnds(
  shift: Shift<number>,
  clock: SharedMemory,
  extent: Extent,
): Operation<MapCall | EndCall>[] {
  const map = shift.map
  const groupOf = (key: number): string => `group ${Math.floor(key / extent.keys)}:`
  const end: Make<EndCall> = (_, key) => {
    if (map instanceof ConcurrentCache) (map as ConcurrentCache<Key, number>).invalidateTags([groupOf(key)])
    else map.namespace(groupOf(key)).clear()
    return { key, name: 'end' }
  }
  const inGroup =
    (make: Make): Make =>
    (_, key, ...given) => {
      const tags = ['one that stays', groupOf(key)]
      const group = map instanceof ConcurrentCache ? tagged(map, tags) : inNamespace(map, groupOf(key))
      return make(group, key, ...given)
    }
  return recordCalls<MapCall | EndCall>(
    shift,
    clock,
    extent,
    (random) => (random.chance(0.15) ? end : inGroup(random.pick(calls))),
    () => disturb(shift),
  )
}
