/**
 * The place of a key in its segment, and the words of a bucket. See docs/internals/format.md, "Bucket". A bucket is
 * given by the index of its first word.
 *
 * Tags and overflow marks are loaded plainly. They are hints: the version reveals a stale or torn hint, as it does for
 * any other byte that a reader copies. An `Atomics.load` of each would cost a lookup 8 ns a word.
 */
import {
  BLOCK_WORDS,
  BUCKET_WORDS,
  HOME_BUCKETS,
  SEGMENT_BUCKETS,
  TOMBSTONE,
  BUCKET_SLOTS,
  BUCKET_TAGS,
  OVERFLOW_SHIFT,
  NEIGHBOUR_MASK,
  STASH_SHIFT,
} from './layout.js'

/**
 * The bit as a signed word, since references are loaded as signed words: live ones are positive, tombstones negative.
 */
export const TOMBSTONE_BIT = TOMBSTONE | 0

/** The word of tags that also holds the overflow mark. */
export const OVERFLOW_WORD = BUCKET_TAGS + 2

export function bucketAt(segment: number, index: number): number {
  return segment * BLOCK_WORDS + SEGMENT_BUCKETS + index * BUCKET_WORDS
}

export function homeOf(hash: number): number {
  return hash & (HOME_BUCKETS - 1)
}

export function neighbourOf(home: number): number {
  return (home + 1) & (HOME_BUCKETS - 1)
}

export function tagOf(hash: number): number {
  return (hash >>> 6) & 0xff || 1
}

export function loadSlot(words: Int32Array, bucket: number, slot: number): number {
  return Atomics.load(words, bucket + BUCKET_SLOTS + slot)
}

export function loadTag(words: Int32Array, bucket: number, slot: number): number {
  return (words[bucket + BUCKET_TAGS + (slot >> 2)] >>> ((slot & 3) * 8)) & 0xff
}

/** Loads the overflow mark: {@link neighbourCount} and {@link stashCount}, which are upper bounds. */
export function loadOverflow(words: Int32Array, home: number): number {
  return words[home + OVERFLOW_WORD] >>> OVERFLOW_SHIFT
}

export function neighbourCount(overflow: number): number {
  return overflow & NEIGHBOUR_MASK
}

export function stashCount(overflow: number): number {
  return overflow >>> STASH_SHIFT
}
