/**
 * Counters of 64 bits, two words each, in the thread records: only the record's owner writes them, anyone may read them. What a
 * thread counted outlives it; the next owner of the record counts on.
 *
 * The native engine writes both words at once. JavaScript cannot, so it shows its carries: it first stores the new high word
 * with CARRYING set, then the low word, then the high word without it. A reader that meets the bit takes the low word for 0.
 */
import { BLOCK_WORDS, COUNTERS, REGISTRY_BLOCK, REGISTRY_THREADS, THREAD_COUNTERS, THREAD_WORDS } from './layout.js'

const CARRYING = 0x80000000 | 0

/** Adds `delta`, 0 to 2^32 - 1, to a counter of the caller's own record at word `record`. */
export function addToCounter(words: Int32Array, record: number, counter: number, delta: number): void {
  const low = record + THREAD_COUNTERS + 2 * counter
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

/** The sums of all counters over all records, by their number. */
export function sumCounters(words: Int32Array): number[] {
  const sums = new Array<number>(COUNTERS).fill(0)
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const record = REGISTRY_BLOCK * BLOCK_WORDS + index * THREAD_WORDS
    for (let counter = 0; counter < COUNTERS; counter++) sums[counter] += readCounter(words, record, counter)
  }
  return sums
}

/** The value of one counter; above 2^53 the nearest double. */
export function readCounter(words: Int32Array, record: number, counter: number): number {
  const at = record + THREAD_COUNTERS + 2 * counter
  // The high word changes once in 2^32 counts, so this ends at once.
  for (;;) {
    const high = Atomics.load(words, at + 1)
    const low = Atomics.load(words, at) >>> 0
    if (Atomics.load(words, at + 1) !== high) continue
    return high < 0 ? (high & ~CARRYING) * 2 ** 32 : high * 2 ** 32 + low
  }
}
