/**
 * Writes that need more than their home bucket: keys in the neighbour or the stash, inserts that find the home full, and
 * whoever lost too many races. See docs/protocol.md, "Write, structural".
 */
import { ALL_BUCKETS, HOME_BUCKETS } from '../../region/layout.js'
import { DONE, FULL, TIMEOUT } from '../engine.js'
import { Backoff } from './backoff.js'
import {
  bucketAt,
  findRoom,
  hold,
  homeOf,
  loadOverflow,
  loadSlot,
  neighbourCount,
  neighbourOf,
  release,
  stashCount,
  storeOverflow,
} from './bucket.js'
import { cleanUpAll, cleanUpLocked } from './cleanup.js'
import { tombstonesOf, type Core } from './core.js'
import type { Edit } from './edit.js'
import { lockSegment, unlockSegment } from './restructure.js'
import { split } from './split.js'

export function editStructurally(core: Core, edit: Edit): void {
  const { words, lookup } = core
  for (let hasReclaimed = false; ;) {
    const locked = lockSegment(core, lookup.hash)
    if (locked !== DONE) {
      core.end(locked)
      return
    }
    const { segment } = lookup
    lookup.noteHome()
    if (!hold(words, lookup.home)) {
      core.noteClaimant(lookup.home, segment)
      unlockSegment(core, segment)
      core.end(TIMEOUT)
      return
    }
    lookup.noteHome()
    if (editHeld(core, edit)) return
    const made = makeRoom(core, segment)
    unlockSegment(core, segment)
    if (made === DONE) continue
    if (made !== FULL || hasReclaimed) {
      core.end(made)
      return
    }
    // Now, with no mutex held, memory can be gathered from everywhere, once.
    hasReclaimed = true
    cleanUpAll(core)
    core.blocks.flush()
  }
}

/**
 * The edit under the segment's mutex and the home bucket. Lets go of both, and returns true; or lets go of the home alone, and
 * returns false, for want of room.
 */
function editHeld(core: Core, edit: Edit): boolean {
  const { words, lookup } = core
  const { home, segment } = lookup
  let status = walkHeld(core) ? edit.prepare() : TIMEOUT
  let bucket = lookup.bucket
  let slot = lookup.slot
  if (status === DONE && slot >= 0) {
    if (bucket !== home && !hold(words, bucket)) {
      core.noteClaimant(bucket, segment)
      status = TIMEOUT
    }
  } else if (status === DONE) {
    bucket = holdRoom(core)
    if (bucket < 0) {
      release(words, home)
      return false
    }
    slot = findRoom(words, bucket)
  }
  if (status !== DONE) {
    const released = release(words, home)
    unlockSegment(core, segment)
    core.end(status)
    edit.reportHome(released)
    return true
  }

  edit.aim(loadSlot(words, bucket, slot), lookup.homeVersion)
  edit.apply(bucket, slot)
  if (bucket !== home) release(words, bucket)
  const released = release(words, home)
  unlockSegment(core, segment)
  edit.finish(segment, released)
  return true
}

/**
 * Walks until undisturbed. The home is held, so the key itself stays put; but other slots of neighbour and stash may change
 * under the walk, and their reused blocks could look like our key.
 */
function walkHeld(core: Core): boolean {
  const { lookup } = core
  let backoff: Backoff | undefined
  for (;;) {
    lookup.walk()
    if (lookup.unchanged()) return true
    backoff ??= new Backoff()
    if (!backoff.wait()) return false
  }
}

/**
 * Holds the first bucket with room for a key of the home, which is held already, and counts it in the overflow mark: before
 * the reference appears, or a reader would not look there. Returns -1 if there is none.
 */
function holdRoom(core: Core): number {
  const { words, lookup } = core
  const { home, segment } = lookup
  if (findRoom(words, home) >= 0) return home
  const overflow = loadOverflow(words, home)
  const neighbour = bucketAt(segment, neighbourOf(homeOf(lookup.hash)))
  if (holdIfRoom(words, neighbour)) {
    storeOverflow(words, home, neighbourCount(overflow) + 1, stashCount(overflow))
    return neighbour
  }
  for (let index = HOME_BUCKETS; index < ALL_BUCKETS; index++) {
    const stash = bucketAt(segment, index)
    if (!holdIfRoom(words, stash)) continue
    storeOverflow(words, home, neighbourCount(overflow), stashCount(overflow) + 1)
    return stash
  }
  return -1
}

function holdIfRoom(words: Int32Array, bucket: number): boolean {
  if (findRoom(words, bucket) < 0 || !hold(words, bucket)) return false
  if (findRoom(words, bucket) >= 0) return true
  release(words, bucket)
  return false
}

/** Room in a segment without any, by cleanup or else by a split. */
function makeRoom(core: Core, segment: number): number {
  if (tombstonesOf(core.words, segment) > 0 && cleanUpLocked(core, segment)) return DONE
  return split(core, segment)
}
