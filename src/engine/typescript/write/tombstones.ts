/**
 * Gets memory back from tombstones without holding more than a bucket at a time. A cleanup holds the whole segment and
 * looks at every entry in it; where memory is wanted, this does for less. See docs/internals/protocol.md, "Tombstones".
 */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  SEGMENT_TOMBSTONES,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { HASH_END } from '../../engine.js'
import { bucketAt, loadSlot, TOMBSTONE_BIT } from '../../../format/bucket.js'
import { endOf, tombstonesOf } from '../../../format/segment.js'
import { release, tryHold, vacate } from '../index/bucket.js'
import { NO_PATIENCE } from '../threads/wait-budget.js'
import { cleanUp, isWorthSweeping } from './cleanup.js'
import type { Core } from '../core.js'

/** Segments that are looked at before memory is sought elsewhere: some 100 microseconds. */
export const LOOKS_AT_ONCE = 256

// The blocks of one bucket's tombstones, shared since nothing interrupts their use.
const emptied = new Int32Array(SLOTS_PER_BUCKET)

/**
 * Empties the tombstone slots of one bucket of the lookup's segment, and frees their blocks. Does nothing if the bucket
 * is held. A write that put an entry in each place would do the same, under the hold of the bucket alone, whatever home
 * the keys had: a slot without a key concerns nobody who looks for one. Called while this thread holds nothing.
 */
export function emptyTombstones(core: Core, bucket: number): void {
  const { words, lookup, thread } = core
  const { segment } = lookup
  const version = Atomics.load(words, bucket + BUCKET_VERSION)
  if ((version & 1) !== 0 || !lookup.stillMaps() || !hasTombstone(words, bucket)) return
  thread.claim(bucket / BLOCK_WORDS)
  if (!tryHold(words, bucket, version)) {
    thread.clearClaim()
    return
  }
  let count = 0
  for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
    const reference = loadSlot(words, bucket, slot)
    if (reference >= 0) continue
    emptied[count++] = reference & ~TOMBSTONE_BIT
    vacate(words, bucket, slot, 0)
  }
  release(words, bucket)
  thread.clearClaim()
  Atomics.sub(words, segment * BLOCK_WORDS + SEGMENT_TOMBSTONES, count)
  for (let i = 0; i < count; i++) core.freeEntry(emptied[i])
}

function hasTombstone(words: Int32Array, bucket: number): boolean {
  for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) if (loadSlot(words, bucket, slot) < 0) return true
  return false
}

/**
 * A round over all segments that begins where this thread's last one ended.
 *
 * Thread safety: one thread, while it holds nothing. Waits for no other thread.
 */
export class Reclaiming {
  /** Whether a segment was passed over because others hold it or a part of it. */
  hasPassedOver = false
  /** Hashes that the round has not come by. */
  private left = HASH_END

  constructor(private readonly core: Core) {}

  isOver(): boolean {
    return this.left <= 0
  }

  /**
   * Frees tombstones and expired entries of the next segments, until `bytes` bytes came back or the round is over.
   * @param most segments that it looks at
   */
  goOn(bytes: number, most = Infinity): void {
    const { core } = this
    const { words, lookup, blocks } = core
    const enough = blocks.freedBytes + bytes
    for (let looks = most; this.left > 0 && looks > 0 && blocks.freedBytes < enough; looks--) {
      const hash = core.cleanupHand
      if (!lookup.locateSegment(hash | 0)) {
        this.left = 0
        return
      }
      const { segment } = lookup
      this.reclaim(segment)
      const end = endOf(words, segment)
      if (end <= hash) {
        // It was split while this thread looked.
        this.hasPassedOver = true
        this.left = 0
        return
      }
      this.left -= end - hash
      core.cleanupHand = end >= HASH_END ? 0 : end
    }
  }

  private reclaim(segment: number): void {
    const { core } = this
    const { words, region } = core
    if (isWorthSweeping(region, segment)) {
      if (!cleanUp(core, segment, NO_PATIENCE)) this.hasPassedOver = true
      return
    }
    for (let index = 0; index < ALL_BUCKETS && tombstonesOf(words, segment) > 0; index++)
      emptyTombstones(core, bucketAt(segment, index))
    if (tombstonesOf(words, segment) > 0) this.hasPassedOver = true
  }
}
