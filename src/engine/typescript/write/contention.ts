/**
 * Hot segments: counts how often writers collide, and where that is too often, splits the segment before it is full.
 * See docs/internals/protocol.md, "Hot segments".
 */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  HEADER_RELIEF_LIMIT,
  HEADER_SEGMENT_COUNT,
  SEGMENT_CONTENTION,
  SEGMENT_OPERATIONS,
  SEGMENT_PARTED,
  SEGMENT_WINDOW,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { DONE } from '../../engine.js'
import { bucketAt, loadSlot } from '../../../format/bucket.js'
import type { Core } from '../core.js'
import { lockSegment, unlockSegment } from './restructure.js'
import { LITTLE_PATIENCE } from '../threads/wait-budget.js'
import { split } from './split.js'

const SAMPLE_WRITES = 16

/** Number of counted contentions that end a window: enough that a chance collision means nothing. */
const WINDOW_CONTENTIONS = 256

/**
 * A segment is hot if in a window more than one write in so many collided. With fewer collisions, they cost less than a
 * split.
 */
const HOT_SHARE = 32

/** Counts a finished write: 16 at a time, so that the cache line is seldom written. */
export function countWrite(core: Core, segment: number): void {
  core.writes = (core.writes + 1) % SAMPLE_WRITES
  if (core.writes === 0) Atomics.add(core.words, segment * BLOCK_WORDS + SEGMENT_OPERATIONS, SAMPLE_WRITES)
}

/**
 * Counts a write that found a bucket or mutex taken, or a bucket changed. Returns true, once in a window, if the
 * segment proves hot.
 */
export function countContention(words: Int32Array, segment: number): boolean {
  const at = segment * BLOCK_WORDS
  const contention = Atomics.add(words, at + SEGMENT_CONTENTION, 1) + 1
  if (contention % WINDOW_CONTENTIONS !== 0) return false
  const operations = Atomics.load(words, at + SEGMENT_OPERATIONS)
  const before = Atomics.exchange(words, at + SEGMENT_WINDOW, operations)
  return (operations - before) >>> 0 < WINDOW_CONTENTIONS * HOT_SHARE && mayAddSegment(words)
}

/**
 * Splits the segment of the lookup's key, if that can separate keys and the bounds allow it. Leaves the status as it
 * is. The thread must hold nothing.
 */
export function relieve(core: Core): void {
  const { words, lookup, budget } = core
  budget.with(LITTLE_PATIENCE, () => {
    if (lockSegment(core, lookup.hash) !== DONE) return
    const { segment } = lookup
    // Checks again under the mutex: other threads may have relieved the segment meanwhile.
    if (mayAddSegment(words) && hasTwoKeys(words, segment)) {
      // Both halves are marked, so that no sweep joins them again.
      Atomics.store(words, segment * BLOCK_WORDS + SEGMENT_PARTED, 1)
      split(core, segment)
    }
    unlockSegment(core, segment)
  })
}

/** Returns whether memory allows another segment: segments must not take the room that entries need. */
function mayAddSegment(words: Int32Array): boolean {
  return Atomics.load(words, HEADER_SEGMENT_COUNT) <= words[HEADER_RELIEF_LIMIT]
}

/** Returns whether a segment has two live keys: writes of a lone key collide in any segment. */
function hasTwoKeys(words: Int32Array, segment: number): boolean {
  let live = 0
  for (let index = 0; index < ALL_BUCKETS; index++) {
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      if (loadSlot(words, bucketAt(segment, index), slot) > 0 && ++live === 2) return true
    }
  }
  return false
}
