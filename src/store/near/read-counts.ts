import { addToCounter } from '../../format/counters.js'
import {
  COUNTER_HITS,
  COUNTER_MISSES,
  COUNTER_NEAR_HITS,
  COUNTER_NEAR_MISSES,
  COUNTER_NEAR_REFRESHED,
} from '../../format/layout.js'
import { recordOf } from '../../format/thread-record.js'

/** Number of reads that reach the engine before all counts are added to the thread's record. */
const READS_PER_FLUSH = 256
/** The most that one addition to a counter can be. */
const MOST = 2 ** 32 - 1

/**
 * One thread's counts of its reads, in plain numbers of its own, so that counting costs a near hit next to nothing.
 * From time to time they are added to the thread's record, where all threads see them.
 *
 * Thread safety: one thread.
 */
export class ReadCounts {
  /** Reads that the near-cache answered: with an entry, and with the absence of one. */
  nearFound = 0
  nearAbsent = 0
  /** Reads that the engine answered: with an entry, and with the absence of one. */
  found = 0
  absent = 0
  /** Those of the engine's reads whose key a near-cache could not answer. */
  nearMisses = 0
  /** Those of {@link ReadCounts.nearMisses} whose entry proved to be unchanged. */
  nearRefreshed = 0
  private reads = 0
  private readonly record: number

  /** @param mark the owner mark of the thread's record */
  constructor(mark: number) {
    this.record = recordOf(mark)
  }

  countFar(words: Int32Array, isFound: boolean): void {
    if (isFound) this.found++
    else this.absent++
    if (++this.reads >= READS_PER_FLUSH) this.flush(words)
  }

  flush(words: Int32Array): void {
    this.reads = 0
    this.add(words, COUNTER_HITS, this.nearFound + this.found)
    this.add(words, COUNTER_MISSES, this.nearAbsent + this.absent)
    this.add(words, COUNTER_NEAR_HITS, this.nearFound + this.nearAbsent)
    this.add(words, COUNTER_NEAR_MISSES, this.nearMisses)
    this.add(words, COUNTER_NEAR_REFRESHED, this.nearRefreshed)
    this.nearFound = this.nearAbsent = this.found = this.absent = this.nearMisses = this.nearRefreshed = 0
  }

  private add(words: Int32Array, counter: number, count: number): void {
    for (let rest = count; rest > 0; rest -= MOST) addToCounter(words, this.record, counter, Math.min(rest, MOST))
  }
}
