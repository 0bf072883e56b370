/**
 * Reclaims tombstones and expired entries, and clears. See docs/internals/protocol.md, "Cleanup", "Expiry" and "Clear".
 */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_SLOTS,
  BUCKET_VERSION,
  CAUSE_CLEARED,
  CAUSE_EXPIRED,
  COUNTER_DELETED,
  COUNTER_EXPIRED,
  ENTRY_DATA,
  ENTRY_HASH,
  HOME_BUCKETS,
  SEGMENT_EXPIRY,
  SEGMENT_LABELLED,
  SEGMENT_MUTEX,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { CORRUPT, DONE, HASH_END, RESULT_LENGTH, RESULT_STATUS, TIMEOUT } from '../../engine.js'
import { labelCountOf, NEVER } from '../../../format/entry.js'
import { storeOverflow, vacate } from '../index/bucket.js'
import { bucketAt, homeOf, loadSlot } from '../../../format/bucket.js'
import { type Core } from '../core.js'
import type { Region } from '../../../format/region.js'
import { isWatched } from '../../../format/feed.js'
import { tell, wakeWatchers } from '../feed/tell.js'
import { giveBackLeftovers } from '../memory/leftovers.js'
import { isExpiryDue, now } from '../index/expiry.js'
import { isLease, canLapse, lapse } from '../../../format/lease.js'
import { lockMutex } from '../threads/mutex.js'
import { wakeAllWaiting } from '../threads/waits.js'
import { NO_PATIENCE } from '../threads/wait-budget.js'
import { giveBackDeparted, mayJoin } from './departures.js'
import { FOR_ROOM, FOR_TIDINESS, joinAround, joinHalves } from './join.js'
import { bringHome, holdSegment, lockSegment, releaseSegment, sweepTombstones, unlockSegment } from './restructure.js'
import { tombstonesOf, endOf } from '../../../format/segment.js'
import { expiryTick, hasExpiredAt, keptUntil } from '../../../format/expiry.js'
import { invalidationsNow, mayHaveInvalidated } from '../../../format/labels.js'

/** Number of tombstones above which a cleanup runs: 30 % of a segment's slots. */
export const TOMBSTONE_LIMIT = Math.floor((ALL_BUCKETS * SLOTS_PER_BUCKET * 3) / 10)

/** Cost of cleaning up a segment in a sweep's budget, in looks at a segment. */
const SWEEP_COST = 64

/**
 * Reclaims the tombstones and expired entries of a segment whose mutex is held. Returns how many; -1 if its buckets
 * could not be taken.
 */
export function cleanUpLocked(core: Core, segment: number): number {
  if (!holdSegment(core, segment)) return -1
  sweepTombstones(core, segment)
  sweepExpired(core, segment)
  bringHome(core.region, segment)
  releaseSegment(core.words, segment)
  wakeWatchers(core)
  const found = core.unlinked.count
  core.unlinked.freeAll()
  return found
}

/** Cleans up a segment, if its mutex and buckets can be taken. Returns whether they were. */
export function cleanUp(core: Core, segment: number, patience: number): boolean {
  return core.budget.with(patience, () => {
    core.thread.claim(segment)
    if (!lockMutex(core.budget, segment * BLOCK_WORDS + SEGMENT_MUTEX)) {
      core.thread.clearClaim()
      return false
    }
    const cleaned = cleanUpLocked(core, segment)
    unlockSegment(core, segment)
    return cleaned >= 0
  })
}

/** Returns whether a segment has tombstones or, by its hints, expired or invalidated entries. */
export function isWorthCleaning(region: Region, segment: number): boolean {
  return tombstonesOf(region.words, segment) > 0 || isWorthSweeping(region, segment)
}

export function isWorthSweeping(region: Region, segment: number): boolean {
  return isExpiryDue(region, segment) || mayHaveInvalidated(region.words, segment)
}

/** Cleans up every segment that is worth it, as {@link cleanUp} does. O(segments). */
export function cleanUpAll(core: Core, patience: number): boolean {
  const { words, region, lookup } = core
  let isAll = true
  for (let hash = 0; hash < HASH_END;) {
    if (!lookup.locateSegment(hash | 0)) break
    const { segment } = lookup
    if (isWorthCleaning(region, segment)) isAll = cleanUp(core, segment, patience) && isAll
    const end = endOf(words, segment)
    if (end <= hash) break
    hash = end
  }
  return isAll
}

/** Deletes expired entries from `fromHash` on, within the budget; see {@link Engine.sweep}. */
export function sweep(core: Core, fromHash: number, budget: number): number {
  const { words, region, lookup, result } = core
  let next = fromHash
  let cleaned = 0
  result[RESULT_STATUS] = DONE
  core.blocks.giveBackDue()
  for (let left = budget; next < HASH_END && left > 0; left--) {
    if (!lookup.locateSegment(next | 0)) {
      result[RESULT_STATUS] = CORRUPT
      break
    }
    const { segment } = lookup
    if (isWorthSweeping(region, segment) && cleanUp(core, segment, NO_PATIENCE)) {
      cleaned++
      left -= SWEEP_COST
    }
    if (joinHalves(core, next | 0, FOR_TIDINESS) !== undefined) {
      left -= SWEEP_COST
      continue // with the segment that came of it
    }
    // If the segment was just split, its lower half may end before `next`: then the upper half is next.
    next = Math.max(next, endOf(words, segment))
  }
  core.evictor?.sweepForgotten()
  if (next >= HASH_END) giveBackIdle(core, false)
  result[RESULT_LENGTH] = cleaned
  return next
}

/**
 * Gives back what the map does not need any more, if it holds little now; and free blocks, of which one in the list of a
 * thread keeps a span.
 */
function giveBackIdle(core: Core, wasCleared: boolean): void {
  if (mayJoin(core.words)) core.evictor?.giveBackIdle()
  giveBackLeftovers(core.region, core.budget)
  if (!giveBackDeparted(core) && !wasCleared) return
  core.blocks.recallAll()
  core.blocks.flush()
}

/** Deletes the expired entries of a held segment, and those invalidated, and sets its hints by the others. */
function sweepExpired(core: Core, segment: number): void {
  const { words, region, unlinked } = core
  if (!isWorthSweeping(region, segment)) return
  const time = now(region)
  const before = unlinked.count
  // Noted before the look at the entries: what is invalidated meanwhile is looked at again.
  const invalidations = invalidationsNow(words)
  let isLabelled = false
  let expired = 0
  let next = 0
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (!region.contains(reference, ENTRY_DATA)) continue
      const expiresAt = keptUntil(region, reference)
      if (!hasExpiredAt(expiresAt, time) && labelCountOf(words, reference * BLOCK_WORDS) !== 0) isLabelled = true
      if (expiresAt === NEVER) continue
      if (expiresAt <= time) {
        unlinked.add(reference)
        if (isLease(words, reference)) vacate(words, bucket, slot, 0)
        else {
          dropCounted(core, bucket, slot)
          expired++
        }
        continue
      }
      const tick = expiryTick(expiresAt)
      if (tick !== 0 && (next === 0 || tick < next)) next = tick
    }
  }
  Atomics.store(words, segment * BLOCK_WORDS + SEGMENT_EXPIRY, next)
  Atomics.store(words, segment * BLOCK_WORDS + SEGMENT_LABELLED, isLabelled ? invalidations : 0)
  core.thread.count(COUNTER_EXPIRED, expired)
  tellUnlinked(core, segment, before, CAUSE_EXPIRED)
}

/**
 * Empties the slot of an entry that counts in the size, in a held bucket, and counts that. Each is announced like a
 * write, one entry after the other: if this thread dies in the middle of a segment, a takeover counts the entries that
 * are gone.
 */
function dropCounted({ words, thread }: Core, bucket: number, slot: number): void {
  thread.beginWrite(bucket + BUCKET_SLOTS + slot, 0, words[bucket + BUCKET_VERSION], -1)
  vacate(words, bucket, slot, 0)
  thread.notePublished()
  thread.addSize(-1)
  thread.endWrite()
}

/**
 * Tells those who watch the map of the entries that were taken out of a held segment: those unlinked from index `from` on.
 */
function tellUnlinked(core: Core, segment: number, from: number, cause: number): void {
  const { words, region, unlinked } = core
  if (!isWatched(words)) return
  for (let i = from; i < unlinked.count; i++) {
    const block = unlinked.block(i)
    if (!region.contains(block, ENTRY_DATA) || isLease(words, block)) continue
    const home = bucketAt(segment, homeOf(words[block * BLOCK_WORDS + ENTRY_HASH]))
    const next = ((words[home + BUCKET_VERSION] | 1) + 1) | 0
    const epoch = words[home + BUCKET_EPOCH] + (next === 0 ? 1 : 0)
    tell(core, block, cause, (epoch << 31) | (next >>> 1), epoch >>> 1)
  }
}

/** Deletes every entry of some segments, one segment after the other; see {@link Engine.clear}. */
export function clear(core: Core, fromHash: number, segments: number): number {
  const { words, lookup } = core
  let hash = fromHash
  for (let left = segments; hash < HASH_END && left > 0; left--) {
    const locked = lockSegment(core, hash | 0)
    if (locked !== DONE) {
      core.end(locked)
      return hash
    }
    const { segment } = lookup
    const end = endOf(words, segment)
    if (!holdSegment(core, segment)) {
      unlockSegment(core, segment)
      core.end(TIMEOUT)
      return hash
    }
    sweepTombstones(core, segment)
    const tombstones = core.unlinked.count
    const { live, hasLeases } = emptySegment(core, segment)
    tellUnlinked(core, segment, tombstones, CAUSE_CLEARED)
    core.thread.count(COUNTER_DELETED, live)
    releaseSegment(words, segment)
    wakeWatchers(core)
    core.unlinked.freeAll()
    unlockSegment(core, segment)
    if (hasLeases) wakeAllWaiting(words)
    core.evictor?.sweepForgotten()
    if (end <= hash) {
      core.end(CORRUPT)
      return hash
    }
    // The half before was cleared before.
    joinAround(core, hash | 0, FOR_ROOM)
    hash = end
  }
  if (hash >= HASH_END) giveBackIdle(core, true)
  core.end(DONE)
  return hash
}

/**
 * Empties every slot of a held segment without tombstones, except leases, which lapse; returns the number of entries
 * that were there, and whether there are leases.
 */
function emptySegment(core: Core, segment: number): { readonly live: number; readonly hasLeases: boolean } {
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
      dropCounted(core, bucket, slot)
    }
  }
  if (hasLeases) bringHome(core.region, segment)
  else {
    for (let index = 0; index < HOME_BUCKETS; index++) storeOverflow(words, bucketAt(segment, index), 0, 0)
    Atomics.store(words, segment * BLOCK_WORDS + SEGMENT_EXPIRY, 0)
    Atomics.store(words, segment * BLOCK_WORDS + SEGMENT_LABELLED, 0)
  }
  return { live: unlinked.count - before, hasLeases }
}
