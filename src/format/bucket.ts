/** Where a key lies in its segment. See docs/internals/format.md, "Bucket". A bucket is given by the index of its first word. */
import { BLOCK_WORDS, BUCKET_WORDS, HOME_BUCKETS, SEGMENT_BUCKETS, TOMBSTONE } from './layout.js'

/** As a signed word, which is how references are loaded: live ones are positive, tombstones negative. */
export const TOMBSTONE_BIT = TOMBSTONE | 0

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
