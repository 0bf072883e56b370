import type { DeepReadonly } from '../base/deep-readonly.js'
import type { Key } from '../format/key.js'
import type { HotKey } from '../store/near/hot-keys.js'
import type { Counters } from '../format/counters.js'
import type { RegionStats } from '../inspect/stats.js'
import type { MemoryUse } from '../inspect/memory.js'

/** A value with what is known about its entry. */
export interface MapEntry<V> {
  /** As `get` returns it. */
  readonly value: DeepReadonly<V>
  /**
   * Version of the entry: a safe integer, at least 1. Every write of the key gives it a higher one, and no version
   * comes back for a key, even when the key is deleted and inserted again.
   */
  readonly version: number
  /** When the entry expires, in milliseconds of `Date.now()`; undefined if never. */
  readonly expiresAt: number | undefined
}

/** What a map consists of at the moment, and what this thread does with it. */
export interface MapStats<K extends Key = Key> extends RegionStats {
  /**
   * What was counted since the map was made. Threads count their reads for themselves and share the counts about every
   * second, or, of a ConcurrentMap, every 256 reads that reach the engine.
   */
  readonly counters: Counters
  /** What the memory is used for. */
  readonly memory: MemoryUse
  /** Absolute path of the file that the map is in; undefined if in memory. */
  readonly file: string | undefined
  /**
   * The up to 10 keys that this thread uses most, most used first: from a sample of its writes, and of its calls of
   * `has` and reads that the near-cache could not answer; each call once. What other threads do and near hits are not
   * in it, nor are `Uint8Array` keys, calls with many keys, and walks.
   */
  readonly hotKeys: readonly HotKey<K>[]
}
