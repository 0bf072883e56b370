/** Reads a segment's header. See docs/internals/format.md, "Segment". A segment is given by its block number. */
import { BLOCK_WORDS, MAX_DEPTH, SEGMENT_DEPTH, SEGMENT_PREFIX, SEGMENT_TOMBSTONES } from './layout.js'

/** One more than the highest hash. */
export const HASH_END = 2 ** 32

/** Returns the first hash after those of a segment, or HASH_END. */
export function endOf(words: Int32Array, segment: number): number {
  const at = segment * BLOCK_WORDS
  return (words[at + SEGMENT_PREFIX] >>> 0) + HASH_END / 2 ** Math.min(words[at + SEGMENT_DEPTH] >>> 0, MAX_DEPTH)
}

/**
 * Returns the number of tombstones of a segment. It is updated after each change, so it may be off by the writes in
 * flight, even below zero.
 */
export function tombstonesOf(words: Int32Array, segment: number): number {
  return Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_TOMBSTONES)
}
