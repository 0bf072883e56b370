import type { Returned } from '../base/cloned.js'
import type { Key } from '../format/key.js'
import type { HotKey } from '../store/near/hot-keys.js'
import type { BreakerStats } from '../format/breaker-word.js'
import type { Counters } from '../format/counters.js'
import type { RegionStats } from '../inspect/stats.js'
import type { MemoryUse } from '../inspect/memory.js'

/** A value with the version and the expiry of its entry. */
export interface MapEntry<V, Freeze extends boolean = true> {
  /** The value, as `get` returns it. */
  readonly value: Returned<V, Freeze>
  /**
   * Version of the entry: a safe integer, at least 1. Every write of the key gives the entry a higher one. No version
   * returns for a key, even when the key is deleted and inserted again.
   */
  readonly version: number
  /** Time at which the entry expires, in milliseconds of `Date.now()`; undefined if never. */
  readonly expiresAt: number | undefined
}

/** The result of `ConcurrentMap.scan` with the option `details`. */
export interface DetailedScanResult<K, V, Freeze extends boolean = true> {
  /** Cursor to go on from; undefined at the end. */
  readonly cursor: number | undefined
  /** Pairs of key and entry. */
  readonly entries: [K, MapEntry<V, Freeze>][]
}

/** Figures of a map at the moment, and of this thread's use of it. */
export interface MapStats<K extends Key = Key> extends RegionStats {
  /**
   * Operations counted since the map was made. Each thread counts its reads for itself and adds them to the shared
   * counts about every second or, in a ConcurrentMap, every 256 reads that reach the engine.
   */
  readonly counters: Counters
  /** The circuit breaker of a cache's loads; undefined for a map. */
  readonly breaker: BreakerStats | undefined
  /** The use of the map's memory. */
  readonly memory: MemoryUse
  /** What the map is called: see the option `name`. */
  readonly name: string
  /** Absolute path of the map's file; undefined for a map in memory. */
  readonly file: string | undefined
  /**
   * The up to 10 keys that this thread uses most, most used first. They come from a sample of its writes, and of those
   * of its reads and calls of `has` that the near-cache could not answer; each call counts once. Calls of other threads
   * and near hits do not count, nor do `Uint8Array` keys, calls with many keys, and walks.
   */
  readonly hotKeys: readonly HotKey<K>[]
}
