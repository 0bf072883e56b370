/**
 * Writes that need more than their home bucket: of keys in the neighbour or the stash, inserts that find the home full,
 * and writes that lost too many races. See docs/internals/protocol.md, "Write, structural".
 */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  HOME_BUCKETS,
  SEGMENT_BYTES,
  SEGMENT_MUTEX,
} from '../../../format/layout.js'
import { ABSENT, CORRUPT, DONE, ENCODED, FOUND, FULL, NOT_DONE, RESULT_STATUS, TIMEOUT } from '../../engine.js'
import { Backoff } from '../threads/backoff.js'
import { findRoom, release, storeOverflow } from '../index/bucket.js'
import { labelCountOf, NEVER } from '../../../format/entry.js'
import { expiryOf } from '../../../format/expiry.js'
import { hasExpired } from '../index/expiry.js'
import {
  bucketAt,
  homeOf,
  neighbourOf,
  loadOverflow,
  loadSlot,
  neighbourCount,
  stashCount,
} from '../../../format/bucket.js'
import { cleanUpAll, cleanUpLocked, isWorthCleaning } from './cleanup.js'
import type { Core } from '../core.js'
import type { Edit } from './edit.js'
import { FIXED } from '../memory/heap.js'
import { makeRoomByMoving } from './compaction.js'
import { holdBucket, lockSegment, unlockSegment } from './restructure.js'
import { ALL_PATIENCE, NO_PATIENCE } from '../threads/wait-budget.js'
import { split } from './split.js'
import { Reclaiming } from './tombstones.js'
import type { ValueReader } from '../index/value.js'

/**
 * Most times that room is made for one write. Other threads may take it first, but hardly ever this often; in a damaged
 * segment, splits may never help.
 */
const MAX_TRIES = 256

/** What is reclaimed at first for a segment that must split: its pages, and as many more. */
const SPLIT_BYTES = 65_536

export function editStructurally(core: Core, edit: Edit): void {
  const { segment } = core.lookup
  if (Atomics.load(core.words, segment * BLOCK_WORDS + SEGMENT_MUTEX) !== 0) edit.meetContention(segment)
  atHome(core, () => editHeld(core, edit))
}

/**
 * Takes the mutex and buckets that a structural write of the lookup's key takes, and makes room for an entry, if there
 * is no room and some can be made. Status and outcome are those of a read; with FOUND, ENCODED or ABSENT the key is
 * held, until {@link editHeldKey} or {@link letGo}. Meanwhile this thread may read, but not write.
 */
export function holdKey(core: Core, reader: ValueReader): unknown {
  const value = holdWithRoom(core, reader, true)
  // Without room nothing can be inserted; but it is not known yet whether the caller will insert.
  return core.result[RESULT_STATUS] === FULL ? holdWithRoom(core, reader, false) : value
}

function holdWithRoom(core: Core, reader: ValueReader, wantsRoom: boolean): unknown {
  let value: unknown
  atHome(core, () => {
    const { lookup } = core
    let status = TIMEOUT
    if (walkHeld(core)) {
      if (lookup.slot >= 0 && !lookup.hasExpired()) {
        value = reader.read()
        status = reader.status
      } else status = lookup.slot < 0 && lookup.isDamaged ? CORRUPT : ABSENT
    }
    if (wantsRoom && lookup.slot < 0 && status === ABSENT && !hasLastingRoom(core)) {
      release(core.words, lookup.home)
      return false
    }
    core.end(status)
    if (status === FOUND || status === ENCODED || status === ABSENT) {
      core.heldSegment = lookup.segment
      core.heldHome = lookup.home
      core.heldUntil = status === ABSENT ? NEVER : lookup.expiresAt
      const isLabelled = status !== ABSENT && labelCountOf(core.words, lookup.entry * BLOCK_WORDS) !== 0
      core.heldEntry = isLabelled ? lookup.entry : 0
    } else {
      release(core.words, lookup.home)
      unlockSegment(core, lookup.segment)
    }
    return true
  })
  return value
}

/** Makes the edit of the lookup's key, which is held, and ends the hold. */
export function editHeldKey(core: Core, edit: Edit): void {
  const { lookup } = core
  // The mutex keeps the segment where it is; only in a damaged region the key leads elsewhere now.
  if (!lookup.locate() || lookup.segment !== core.heldSegment || lookup.home !== core.heldHome) {
    letGo(core)
    core.end(CORRUPT)
    return
  }
  // The caller read an entry whose time has passed since, or which was invalidated, and will read again.
  const { region, heldEntry } = core
  const isInvalid = heldEntry !== 0 && hasExpired(region, expiryOf(region, heldEntry))
  if (edit.isPut && (isInvalid || hasExpired(region, core.heldUntil))) {
    letGo(core)
    core.end(NOT_DONE)
    return
  }
  core.heldSegment = 0
  if (editHeld(core, edit)) return
  unlockSegment(core, lookup.segment)
  core.end(FULL)
}

/** Ends the hold, if there is one, without a write. */
export function letGo(core: Core): void {
  if (core.heldSegment === 0) return
  release(core.words, core.heldHome)
  unlockSegment(core, core.heldSegment)
  core.heldSegment = 0
}

/**
 * Runs `attempt` under the mutex of the segment of the lookup's key and with the home bucket held. The attempt lets go
 * of both, or keeps them, and returns true; or, for want of room, it lets go of the home alone and returns false, and
 * then room is made. Ends with a negative status on failure.
 */
function atHome(core: Core, attempt: () => boolean): void {
  const { lookup } = core
  // How much memory is reclaimed the next time, whether it was for good, and whether no segment was passed over for it.
  let wanted = SPLIT_BYTES
  let round: Reclaiming | undefined
  let hasReclaimed = false
  let hasMoved = false
  let isAll = true
  for (let tries = 0; ; tries++) {
    const locked = tries === MAX_TRIES ? CORRUPT : lockSegment(core, lookup.hash)
    if (locked !== DONE) {
      core.end(locked)
      return
    }
    const { segment } = lookup
    lookup.noteHome()
    if (!holdBucket(core, lookup.home, segment)) {
      unlockSegment(core, segment)
      core.end(TIMEOUT)
      return
    }
    lookup.noteHome()
    if (attempt()) return
    const made = makeRoom(core, segment)
    unlockSegment(core, segment)
    if (made === DONE) continue
    if (made === FULL && !hasMoved) {
      hasMoved = true
      if (moveForSplit(core)) continue
    }
    if (made !== FULL || hasReclaimed) {
      core.end(made === FULL && !isAll ? TIMEOUT : made)
      return
    }
    // Now, with no mutex held, memory can be gathered everywhere: first where it is available at once; then, in a map,
    // which has no other memory, everywhere.
    round ??= new Reclaiming(core)
    if (round.isOver()) {
      isAll = cleanUpAll(core, ALL_PATIENCE)
      hasReclaimed = true
    } else {
      round.goOn(wanted)
      wanted *= 2
      isAll = !round.hasPassedOver
      hasReclaimed = round.isOver() && (isAll || core.evictor !== undefined)
    }
    core.blocks.flush()
    hasMoved = false
  }
}

/**
 * Makes the edit under the segment's mutex and the home bucket. Lets go of both, and returns true; or, for want of
 * room, lets go of the home alone, and returns false.
 */
function editHeld(core: Core, edit: Edit): boolean {
  const { words, lookup } = core
  const { home, segment } = lookup
  let status = walkHeld(core) ? edit.prepare() : TIMEOUT
  let bucket = lookup.bucket
  let slot = lookup.slot
  if (status === DONE && slot >= 0) {
    if (bucket !== home && !holdBucket(core, bucket, segment)) status = TIMEOUT
  } else if (status === DONE) {
    bucket = holdRoom(core)
    if (bucket < 0) {
      release(words, home)
      return false
    }
    slot = findRoom(words, bucket)
  }
  // Again as late as possible: see "Expiry" in docs/internals/protocol.md.
  while (status === DONE && edit.hasDied()) {
    status = edit.prepare()
    if (status !== DONE && bucket !== home) release(words, bucket)
  }
  if (status !== DONE) {
    const released = release(words, home)
    unlockSegment(core, segment)
    core.end(status)
    edit.reportHome(released)
    return true
  }

  edit.aim(loadSlot(words, bucket, slot), lookup.homeVersion)
  edit.announce(bucket, slot, words[bucket + BUCKET_VERSION])
  edit.apply(bucket, slot)
  edit.expose()
  if (bucket !== home) release(words, bucket)
  const released = release(words, home)
  unlockSegment(core, segment)
  edit.finish(segment, released)
  return true
}

/**
 * Walks until no other thread interferes. The home is held, so the key itself stays in place; but other slots of
 * neighbour and stash may change during the walk, and their reused blocks could look like the key.
 */
function walkHeld(core: Core): boolean {
  const { lookup } = core
  let backoff: Backoff | undefined
  for (;;) {
    lookup.walk()
    if (lookup.unchanged()) return true
    backoff ??= Backoff.forOthers(core.budget)
    if (!backoff.wait()) return false
  }
}

/**
 * Holds the first bucket with room for a key of the home, which is held already, and counts it in the overflow mark:
 * before the reference appears, or a reader would not look there. Returns -1 if no bucket has room.
 */
function holdRoom(core: Core): number {
  const { words, lookup } = core
  const { home, segment } = lookup
  if (findRoom(words, home) >= 0) return home
  const overflow = loadOverflow(words, home)
  const neighbour = bucketAt(segment, neighbourOf(homeOf(lookup.hash)))
  // A bucket that another thread holds is waited for only if no other bucket has room.
  const { budget } = core
  const patience = budget.patience
  for (const each of [NO_PATIENCE, patience]) {
    budget.patience = each
    const bucket = holdSpillRoom(core, neighbour)
    budget.patience = patience
    if (bucket < 0) continue
    const isNeighbour = bucket === neighbour
    storeOverflow(
      words,
      home,
      neighbourCount(overflow) + Number(isNeighbour),
      stashCount(overflow) + Number(!isNeighbour),
    )
    return bucket
  }
  return -1
}

/** Holds the first bucket with room, of the neighbour and the stash; -1 if none has room. */
function holdSpillRoom(core: Core, neighbour: number): number {
  if (holdIfRoom(core, neighbour)) return neighbour
  for (let index = HOME_BUCKETS; index < ALL_BUCKETS; index++) {
    const stash = bucketAt(core.lookup.segment, index)
    if (holdIfRoom(core, stash)) return stash
  }
  return -1
}

/**
 * Returns whether a key of the home, which is held, can be inserted at any time until it is released. Other threads may
 * take the neighbour's room, but cannot fill the home, which is held, or the stash, which is filled under the mutex.
 */
function hasLastingRoom(core: Core): boolean {
  const { words, lookup } = core
  if (findRoom(words, lookup.home) >= 0) return true
  for (let index = HOME_BUCKETS; index < ALL_BUCKETS; index++) {
    if (findRoom(words, bucketAt(lookup.segment, index)) >= 0) return true
  }
  return false
}

function holdIfRoom(core: Core, bucket: number): boolean {
  const { words } = core
  if (findRoom(words, bucket) < 0 || !holdBucket(core, bucket, core.lookup.segment)) return false
  if (findRoom(words, bucket) >= 0) return true
  release(words, bucket)
  return false
}

/**
 * Moves entries until a segment can split, and the directory can double. Returns false if there is no room for a
 * segment. It takes both blocks before it gives either back.
 */
function moveForSplit(core: Core): boolean {
  const segment = makeRoomByMoving(core, SEGMENT_BYTES, FIXED)
  if (segment < 0) return false
  const bytes = core.lookup.nextDirectoryBytes
  const directory = makeRoomByMoving(core, bytes, FIXED)
  if (directory > 0) core.blocks.free(directory, bytes)
  core.blocks.free(segment, SEGMENT_BYTES)
  return true
}

/** Makes room in a full segment, by cleanup or else by a split. */
function makeRoom(core: Core, segment: number): number {
  if (isWorthCleaning(core.region, segment) && cleanUpLocked(core, segment) > 0) return DONE
  return split(core, segment)
}
