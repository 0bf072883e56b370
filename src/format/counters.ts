/**
 * Counters of 64 bits, two words each, in the thread records: only the record's owner writes them, and any thread may
 * read them. A thread's counts outlive it; the next owner of the record counts on.
 *
 * The native engine writes both words at once. JavaScript cannot, so it shows its carries: it first stores the new high
 * word with CARRYING set, then the low word, then the high word without it. A reader that meets the bit takes the low
 * word for 0.
 */
import {
  COUNTER_ADMITTED,
  COUNTER_DELETED,
  COUNTER_EVICTED_SIZE,
  COUNTER_EXPIRED,
  COUNTER_HITS,
  COUNTER_LOADS,
  COUNTER_LOADS_REFUSED,
  COUNTER_LOAD_FAILURES,
  COUNTER_LOST_UPDATES,
  COUNTER_MISSES,
  COUNTER_NEAR_HITS,
  COUNTER_NEAR_MISSES,
  COUNTER_NEAR_REFRESHED,
  COUNTER_REJECTED,
  COUNTER_REPLACED,
  COUNTER_STALE_ON_ERROR,
  HEADER_BREAKER_OPENED,
  HEADER_DEATHS,
  REGISTRY_THREADS,
  THREAD_COUNTERS,
  THREAD_LOCK_WAITS,
} from './layout.js'
import { threadRecordAt } from './thread-record.js'

const CARRYING = 0x80000000 | 0

/** Adds `delta`, 0 to 2^32 - 1, to a counter of the caller's own record at word `record`. */
export function addToCounter(words: Int32Array, record: number, counter: number, delta: number): void {
  addToCount(words, record + THREAD_COUNTERS + 2 * counter, delta)
}

/** Adds `delta`, 0 to 2^32 - 1, to the count of two words at `low`, which only the caller's thread writes. */
export function addToCount(words: Int32Array, low: number, delta: number): void {
  const sum = (words[low] >>> 0) + delta
  if (sum < 2 ** 32) {
    words[low] = sum
    return
  }
  const high = words[low + 1] + 1
  Atomics.store(words, low + 1, high | CARRYING)
  Atomics.store(words, low, sum - 2 ** 32)
  Atomics.store(words, low + 1, high)
}

/** The counts of all threads since the map was made, including threads that ended. */
export interface Counters {
  /**
   * Reads that found an entry, whether a near-cache or the engine answered them. One read is one call of `get`,
   * `getEntry`, `getOrInsert`, `getOrInsertComputed` or `getOrLoad`, or one key of a call of `getMany`, no matter what
   * else the call does. These do not count as reads: `has`, walks (iterators, `forEach`, `scan`, `deleteWhere`),
   * snapshots, and writes that depend on the entry (`update`, `compareAndSwap` ...).
   */
  readonly hits: number
  /** Reads that found no entry; counted as {@link Counters.hits} are. */
  readonly misses: number
  /** Reads that a near-cache answered, also with the answer that there is no entry. */
  readonly nearHits: number
  /**
   * Reads that went to the engine because the near-cache did not know the key, or had forgotten it. Reads that a
   * near-cache never remembers are not counted: those of `Uint8Array` keys and of `getMany`.
   */
  readonly nearMisses: number
  /**
   * Those of {@link Counters.nearMisses} whose entry proved to be the one that the near-cache had: nothing was decoded.
   */
  readonly nearRefreshed: number
  /** Loaders that `getOrLoad` ran. */
  readonly loads: number
  /** Those of {@link Counters.loads} that failed. */
  readonly loadFailures: number
  /** Calls of loads that got an older value by `staleIfError`, because a load failed. */
  readonly staleOnError: number
  /** Loads that the circuit breaker refused, so that no loader was called. */
  readonly loadsRefused: number
  /** Times that the circuit breaker opened, also again after a probe that failed. */
  readonly breakerOpened: number
  /** Entries that gave way to a newer value of their key. */
  readonly replaced: number
  /** Entries that were deleted; by `clear` also those that had expired. */
  readonly deleted: number
  /** Entries that expired, counted when they are cleaned up. */
  readonly expired: number
  /** Entries removed because the cache was full. */
  readonly evicted: number
  /** Entries that a full cache stored in place of another. */
  readonly admitted: number
  /** Entries that a full cache did not store. */
  readonly rejected: number
  /** Writes that overwrote what their thread had not seen, as far as the option `lostUpdates` looks for them. */
  readonly lostUpdates: number
  /**
   * Waits for another thread that lasted so long that the thread slept, some microseconds; one call may have several. A
   * wait for a load is none.
   */
  readonly lockWaits: number
  /** Threads that ended without closing the map, and from which others took over. */
  readonly takeovers: number
}

/** Returns the sums of all counters over all records. O(128). Writes nothing. */
export function inspectCounters(words: Int32Array): Counters {
  const sumAt = (offset: number): number => {
    let total = 0
    for (let index = 0; index < REGISTRY_THREADS; index++) total += readCount(words, threadRecordAt(index) + offset)
    return total
  }
  const sum = (counter: number): number => sumAt(THREAD_COUNTERS + 2 * counter)
  return {
    hits: sum(COUNTER_HITS),
    misses: sum(COUNTER_MISSES),
    nearHits: sum(COUNTER_NEAR_HITS),
    nearMisses: sum(COUNTER_NEAR_MISSES),
    nearRefreshed: sum(COUNTER_NEAR_REFRESHED),
    loads: sum(COUNTER_LOADS),
    loadFailures: sum(COUNTER_LOAD_FAILURES),
    staleOnError: sum(COUNTER_STALE_ON_ERROR),
    loadsRefused: sum(COUNTER_LOADS_REFUSED),
    breakerOpened: Atomics.load(words, HEADER_BREAKER_OPENED) >>> 0,
    replaced: sum(COUNTER_REPLACED),
    deleted: sum(COUNTER_DELETED),
    expired: sum(COUNTER_EXPIRED),
    evicted: sum(COUNTER_EVICTED_SIZE),
    admitted: sum(COUNTER_ADMITTED),
    rejected: sum(COUNTER_REJECTED),
    lostUpdates: sum(COUNTER_LOST_UPDATES),
    lockWaits: sumAt(THREAD_LOCK_WAITS),
    takeovers: Atomics.load(words, HEADER_DEATHS) >>> 0,
  }
}

/** Returns the value of one counter; above 2^53 the nearest double. */
export function readCounter(words: Int32Array, record: number, counter: number): number {
  return readCount(words, record + THREAD_COUNTERS + 2 * counter)
}

/** Returns the count of two words at `at`, as {@link readCounter} does. */
export function readCount(words: Int32Array, at: number): number {
  // The high word changes once in 2^32 counts, so the loop ends at once.
  for (;;) {
    const high = Atomics.load(words, at + 1)
    const low = Atomics.load(words, at) >>> 0
    if (Atomics.load(words, at + 1) !== high) continue
    return high < 0 ? (high & ~CARRYING) * 2 ** 32 : high * 2 ** 32 + low
  }
}
