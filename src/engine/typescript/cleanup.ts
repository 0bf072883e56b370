/** Reclaiming tombstones, and clearing. See docs/protocol.md, "Cleanup" and "Clear". */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  ENTRY_DATA,
  ENTRY_HASH,
  HOME_BUCKETS,
  MAX_DEPTH,
  SEGMENT_DEPTH,
  SEGMENT_MUTEX,
  SEGMENT_PREFIX,
  SLOTS_PER_BUCKET,
} from '../../region/layout.js'
import { CORRUPT, DONE, HASH_END, TIMEOUT } from '../engine.js'
import { bucketAt, homeOf, loadSlot, storeOverflow, vacate } from './bucket.js'
import { tombstonesOf, type Core } from './core.js'
import { isLease, canLapse, lapse } from './lease.js'
import { lockMutex } from './mutex.js'
import { bringHome, holdSegment, lockSegment, releaseSegment, sweepTombstones, unlockSegment } from './restructure.js'

/** A cleanup runs once more than 30 % of a segment's slots are tombstones. */
export const TOMBSTONE_LIMIT = Math.floor((ALL_BUCKETS * SLOTS_PER_BUCKET * 3) / 10)

/** Cleans up a segment whose mutex is held. Whether it found a tombstone. */
export function cleanUpLocked(core: Core, segment: number): boolean {
  if (!holdSegment(core, segment)) return false
  sweepTombstones(core, segment)
  bringHome(core, segment)
  releaseSegment(core.words, segment)
  const hasFound = core.unlinked.count > 0
  core.unlinked.freeAll()
  return hasFound
}

/** Cleans up a segment, unless someone holds it for longer than the bound of waiting. */
export function cleanUp(core: Core, segment: number): void {
  core.thread.claim(segment)
  if (lockMutex(core.words, segment * BLOCK_WORDS + SEGMENT_MUTEX, core.thread.mark)) {
    cleanUpLocked(core, segment)
    unlockSegment(core, segment)
  } else core.thread.clearClaim()
}

/** Cleans up every segment that has tombstones. O(segments). */
export function cleanUpAll(core: Core): void {
  const { words, lookup } = core
  for (let hash = 0; hash < HASH_END;) {
    if (!lookup.locateSegment(hash | 0)) return
    const { segment } = lookup
    if (tombstonesOf(words, segment) > 0) cleanUp(core, segment)
    const end = endOf(words, segment)
    if (end <= hash) return
    hash = end
  }
}

/** Deletes every entry, one segment after the other. Status DONE, TIMEOUT or CORRUPT. */
export function clear(core: Core): number {
  const { words, lookup } = core
  for (let hash = 0; hash < HASH_END;) {
    const locked = lockSegment(core, hash | 0)
    if (locked !== DONE) return locked
    const { segment } = lookup
    const end = endOf(words, segment)
    if (!holdSegment(core, segment)) {
      unlockSegment(core, segment)
      return TIMEOUT
    }
    sweepTombstones(core, segment)
    const live = emptySegment(core, segment)
    releaseSegment(words, segment)
    unlockSegment(core, segment)
    core.thread.addSize(-live)
    core.unlinked.freeAll()
    if (end <= hash) return CORRUPT
    hash = end
  }
  return DONE
}

/** The first hash after those of a segment, or HASH_END. */
export function endOf(words: Int32Array, segment: number): number {
  const at = segment * BLOCK_WORDS
  return (words[at + SEGMENT_PREFIX] >>> 0) + HASH_END / 2 ** Math.min(words[at + SEGMENT_DEPTH] >>> 0, MAX_DEPTH)
}

/**
 * Empties every slot of a held segment without tombstones, but for leases, which lapse; returns the number of entries that were
 * there.
 */
function emptySegment(core: Core, segment: number): number {
  const { words, region, unlinked } = core
  const before = unlinked.count
  let hasLeases = false
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference === 0) continue
      if (region.contains(reference, ENTRY_DATA) && isLease(words, reference)) {
        const home = bucketAt(segment, homeOf(words[reference * BLOCK_WORDS + ENTRY_HASH]))
        if (canLapse(words, reference)) lapse(words, reference, home)
        hasLeases = true
        continue
      }
      unlinked.add(reference)
      vacate(words, bucket, slot, 0)
    }
  }
  if (hasLeases) bringHome(core, segment)
  else for (let index = 0; index < HOME_BUCKETS; index++) storeOverflow(words, bucketAt(segment, index), 0, 0)
  return unlinked.count - before
}
