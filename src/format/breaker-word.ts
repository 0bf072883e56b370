/** The word that holds the state of a cache's circuit breaker. See docs/internals/format.md, "Header". */
import { FLAG_CACHE, HEADER_BREAKER, HEADER_BREAKER_OPENED, HEADER_FLAGS } from './layout.js'
import { pairsOf } from './region.js'

export const CLOSED = 0n
export const OPEN = 1n
export const HALF_OPEN = 2n
const STATE_BITS = 3n
const GENERATION_SHIFT = 2n
const GENERATION_MASK = 0x3fffn
const UNTIL_SHIFT = 16n

/** Index of the word among the pairs of words of a region. */
export const BREAKER_PAIR = HEADER_BREAKER / 2

/** CLOSED, OPEN or HALF_OPEN; in a damaged region it may be 3. */
export function stateIn(word: bigint): bigint {
  return word & STATE_BITS
}

/** Until when it is open, or its probe may run, in whole milliseconds of the region's time. */
export function untilIn(word: bigint): number {
  return Number(word >> UNTIL_SHIFT)
}

/** Returns the word that follows `word`. */
export function wordAfter(word: bigint, state: bigint, until: number): bigint {
  const generation = ((word >> GENERATION_SHIFT) + 1n) & GENERATION_MASK
  return state | (generation << GENERATION_SHIFT) | (BigInt(Math.max(0, Math.ceil(until))) << UNTIL_SHIFT)
}

/** The state of a cache's circuit breaker, which all threads and processes share. */
export interface BreakerStats {
  /** `closed`: loaders are called. `open`: they are not. `half-open`: one is, the probe, whose end decides. */
  readonly state: 'closed' | 'half-open' | 'open'
  /** Times that it opened since the cache was made, also again after a probe that failed; modulo 2^32. */
  readonly opened: number
  /**
   * Open: from when on the next load is let through as the probe, perhaps long ago. Half open: when the probe's time is
   * up, after which another load takes its place. In milliseconds of `Date.now()`; undefined if it is closed.
   */
  readonly until: number | undefined
}

/**
 * Returns the state of a cache's breaker, `closed` where no thread has one; undefined for a map. O(1), writes nothing.
 *
 * @param toWall converts the region's time into that of the system's clock
 */
export function inspectBreaker(words: Int32Array, toWall: (time: number) => number): BreakerStats | undefined {
  if ((words[HEADER_FLAGS] & FLAG_CACHE) === 0) return undefined
  const word = Atomics.load(pairsOf(words), BREAKER_PAIR)
  const opened = Atomics.load(words, HEADER_BREAKER_OPENED) >>> 0
  const state = stateIn(word)
  if (state === CLOSED) return { state: 'closed', opened, until: undefined }
  return { state: state === HALF_OPEN ? 'half-open' : 'open', opened, until: toWall(untilIn(word)) }
}
