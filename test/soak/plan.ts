/** What a soak consists of: the keys of its maps and who may do what with them. */
import type { AttachOptions, EngineChoice } from '../../src/index.js'
import type { SharedMemory } from '../support/shared-memory.js'

/** Operations as the table counts them. */
export const KINDS = [
  'get',
  'set',
  'delete',
  'compare',
  'update',
  'increment',
  'batch',
  'scan',
  'iteration',
  'snapshot',
  'deleteWhere',
  'cache get',
  'cache set',
  'touch',
  'load',
  'clear',
  'attach',
] as const
export type Kind = (typeof KINDS)[number]

/** Numbers below are never deleted from the map, only overwritten. */
export const LASTING = 600
/** Numbers from LASTING up to this come and go. */
export const NUMBERS = 1500
/** Keys that a member alone writes, and knows the value of. */
export const OWN = 16
/** Keys that all members add to and nobody deletes. Their number modulo 3 tells by which method. */
export const COUNTERS = 9
/** Keys of the caches that evict. */
export const CACHED = 3000
/** Entries that one of them may hold. */
export const MOST_ENTRIES = 300
/** Keys that are loaded. Those below LOADED_FOR_GOOD go only by being deleted; the others also expire. */
export const LOADED = 32
export const LOADED_FOR_GOOD = 24

export const ownKey = (slot: number, index: number): string => `own:${slot}:${index}`
/** A member writes the same number under both, always under the first before the second. */
export const pairKey = (slot: number, half: 0 | 1): string => `pair:${slot}:${half}`
export const counterKey = (index: number): string => `counter:${index}`
export const loadKey = (index: number): string => `load:${index}`

/** Files that all processes open. */
export interface Places {
  readonly map: string
  /** A cache that is smaller than what is put into it. */
  readonly cache: string
  /** A cache of {@link MOST_ENTRIES}. */
  readonly bounded: string
  /** A cache for loads, which has room for all. */
  readonly loads: string
  readonly ledger: SharedMemory
  /** One line for each violation: of a killed process, too. */
  readonly violations: string
}

/** What a member is told. It has the same slot as the one that it replaces, if that was killed. */
export interface Post {
  readonly slot: number
  readonly process: number
  readonly slots: number
  readonly processes: number
  readonly seed: number
  readonly engine: EngineChoice
  readonly places: Places
}

/** What a process is told: the posts of its threads. */
export interface HostOrder {
  readonly posts: readonly Post[]
}

/** Ends one of a process's threads, and starts another in its place. */
export interface HostRequest {
  readonly terminate: number
}

export const MAP_BYTES = 64 * 2 ** 20
export const CACHE_BYTES = 8 * 2 ** 20
/** With room for more than MOST_ENTRIES. */
export const BOUNDED_BYTES = 16 * 2 ** 20
export const LOADS_BYTES = 16 * 2 ** 20
/** Between one and the other, so that a cache object opens what another one made. */
export const CACHE_TTL_MS = 2000

export function attachOptions(engine: EngineChoice, near: boolean): AttachOptions {
  return near ? { engine } : { engine, nearCache: false }
}
