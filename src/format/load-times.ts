/**
 * How long loads took: counts that all threads of the region share, so that they outlive threads and processes. A load is
 * rare beside a read, so its one count is added by an atomic instruction, and no thread needs counts of its own.
 */
import { THREAD_LOAD_TIMES, THREAD_LOAD_TIME_COUNTS } from './layout.js'
import { pairsOf } from './region.js'
import { threadRecordAt } from './thread-record.js'

/** Upper bounds of the counted ranges, in seconds, each included. The last range has none. The format fixes them. */
export const LOAD_TIME_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60,
]

/** The count after those of the ranges: nanoseconds of all loads together. */
const SUM = LOAD_TIME_BOUNDS.length + 1
/** What one load adds at most, a day, so that no clock that jumps spoils the sum. */
const LONGEST_MS = 86_400_000

/** Times of all loads that ended since the map was made. */
export interface LoadTimes {
  /** Upper bounds of the ranges in seconds, each included; the same for every map. */
  readonly bounds: readonly number[]
  /** Number of loads in each range, and last of those above all bounds. */
  readonly counts: readonly number[]
  /** Seconds of all loads together. */
  readonly sum: number
}

/** Returns the word of count `i`: so many lie in each of the first thread records, whoever has those. */
function countAt(i: number): number {
  const record = Math.floor(i / THREAD_LOAD_TIME_COUNTS)
  return threadRecordAt(record) + THREAD_LOAD_TIMES + 2 * (i % THREAD_LOAD_TIME_COUNTS)
}

/** Counts a load. Any thread. */
export function countLoadTime(words: Int32Array, milliseconds: number): void {
  const taken = Math.min(Math.max(milliseconds, 0), LONGEST_MS)
  const pairs = pairsOf(words)
  const found = LOAD_TIME_BOUNDS.findIndex((bound) => taken <= bound * 1000)
  Atomics.add(pairs, countAt(SUM) / 2, BigInt(Math.round(taken * 1e6)))
  Atomics.add(pairs, countAt(found < 0 ? LOAD_TIME_BOUNDS.length : found) / 2, 1n)
}

/** Returns the times of all loads. O(bounds). Writes nothing. */
export function inspectLoadTimes(words: Int32Array): LoadTimes {
  const pairs = pairsOf(words)
  const count = (i: number): number => Number(Atomics.load(pairs, countAt(i) / 2))
  const counts = Array.from({ length: SUM }, (_, i) => count(i))
  return { bounds: LOAD_TIME_BOUNDS, counts, sum: count(SUM) / 1e9 }
}
