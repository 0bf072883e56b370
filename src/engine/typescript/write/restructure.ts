/**
 * The common steps of split, cleanup and clear: holding a whole segment, emptying its tombstones, bringing spilled keys
 * home. Segments are given by block number.
 *
 * Thread safety: all functions need the segment's mutex; those that change slots also need all its buckets held.
 */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  CLAIM_ALL,
  ENTRY_DATA,
  ENTRY_HASH,
  HOME_BUCKETS,
  SEGMENT_MOVES,
  SEGMENT_MUTEX,
  SEGMENT_TOMBSTONES,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { CORRUPT, DONE, HASH_END, TIMEOUT } from '../../engine.js'
import { Backoff } from '../threads/backoff.js'
import { findRoom, publish, release, step, storeOverflow, tryHold, vacate } from '../index/bucket.js'
import {
  bucketAt,
  homeOf,
  neighbourOf,
  TOMBSTONE_BIT,
  loadOverflow,
  loadSlot,
  loadTag,
  neighbourCount,
  stashCount,
} from '../../../format/bucket.js'
import type { Core } from '../core.js'
import { SEGMENT_WORDS } from '../../../format/directory.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import type { Region } from '../../../format/region.js'
import { endOf } from '../../../format/segment.js'

/**
 * Bound on how often a hash comes to map to another segment while a thread waits for the mutex of the one before. More
 * means damage: each split, and each join, takes much longer than a look.
 */
export const MAX_MOVES = 1000

// Counts of one bringHome, shared since nothing interrupts it.
const inNeighbour = new Int32Array(HOME_BUCKETS)
const inStash = new Int32Array(HOME_BUCKETS)

/** Claims and locks the segment that `hash` maps to, and leaves it in the lookup: status DONE, TIMEOUT or CORRUPT. */
export function lockSegment(core: Core, hash: number): number {
  const { lookup, thread } = core
  for (let tries = 0; ; tries++) {
    if (!lookup.locateSegment(hash) || tries > MAX_MOVES) return CORRUPT
    const { segment } = lookup
    const mutex = segment * BLOCK_WORDS + SEGMENT_MUTEX
    thread.claim(segment)
    if (!lockMutex(core.budget, mutex)) {
      thread.clearClaim()
      return TIMEOUT
    }
    if (lookup.stillMaps()) return DONE
    unlockSegment(core, segment) // it was split while we waited
  }
}

export function unlockSegment(core: Core, segment: number): void {
  unlockMutex(core.words, segment * BLOCK_WORDS + SEGMENT_MUTEX)
  core.thread.clearClaim()
}

/**
 * Takes a bucket of the segment in block `segment`, and waits for an optimistic writer to finish. Returns false if the
 * writer did not finish within the rest of the call's budget.
 */
export function holdBucket(core: Core, bucket: number, segment: number): boolean {
  const { words, thread } = core
  let backoff: Backoff | undefined
  for (;;) {
    const version = Atomics.load(words, bucket + BUCKET_VERSION)
    if ((version & 1) === 0 && tryHold(words, bucket, version)) {
      backoff?.end()
      return true
    }
    backoff ??= Backoff.forBucket(core.budget, bucket, segment)
    // Set only while waiting: once the swap may have taken the bucket, no thread must read here that the bucket is not
    // this one's.
    thread.setWaiting(bucket / BLOCK_WORDS)
    const mayGoOn = backoff.wait()
    thread.setWaiting(0)
    if (!mayGoOn) return false
  }
}

/** Takes every bucket of the segment. On failure it holds none. */
export function holdBuckets(core: Core, segment: number): boolean {
  const { words } = core
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(segment, index)
    if (holdBucket(core, bucket, segment)) continue
    while (index-- > 0) release(words, bucketAt(segment, index))
    return false
  }
  return true
}

export function releaseBuckets(words: Int32Array, segment: number): void {
  for (let index = 0; index < ALL_BUCKETS; index++) release(words, bucketAt(segment, index))
}

/** Takes every bucket as {@link holdBuckets} does, in order to move keys: also makes SEGMENT_MOVES odd. */
export function holdSegment(core: Core, segment: number): boolean {
  if (!holdBuckets(core, segment)) return false
  Atomics.add(core.words, segment * BLOCK_WORDS + SEGMENT_MOVES, 1)
  return true
}

export function releaseSegment(words: Int32Array, segment: number): void {
  Atomics.add(words, segment * BLOCK_WORDS + SEGMENT_MOVES, 1)
  releaseBuckets(words, segment)
}

/**
 * Claims and holds every segment, in the order of their hashes, and lists those held: status DONE, TIMEOUT or CORRUPT.
 * In every case the caller releases the listed segments, in any order, and then clears the claim.
 */
export function holdEverything(core: Core, held: number[]): number {
  const { words, lookup, thread } = core
  thread.claim(CLAIM_ALL)
  for (let hash = 0; hash < HASH_END;) {
    const locked = lockUnderClaim(core, hash | 0)
    if (locked !== DONE) return locked
    const { segment } = lookup
    if (!holdBuckets(core, segment)) {
      unlockMutex(words, segment * BLOCK_WORDS + SEGMENT_MUTEX)
      return TIMEOUT
    }
    held.push(segment)
    if (held.length > maxSegments(words)) return CORRUPT
    const end = endOf(words, segment)
    if (end <= hash) return CORRUPT
    hash = end
  }
  return DONE
}

export function maxSegments(words: Int32Array): number {
  return words.length / SEGMENT_WORDS
}

/** Locks as lockSegment does, but without a claim, since the thread claims everything already. */
function lockUnderClaim(core: Core, hash: number): number {
  const { words, lookup } = core
  for (let tries = 0; ; tries++) {
    if (!lookup.locateSegment(hash) || tries > MAX_MOVES) return CORRUPT
    const mutex = lookup.segment * BLOCK_WORDS + SEGMENT_MUTEX
    if (!lockMutex(core.budget, mutex)) return TIMEOUT
    if (lookup.stillMaps()) return DONE
    unlockMutex(words, mutex) // it was split while we waited
  }
}

export function releaseHeld(core: Core, segment: number): void {
  releaseBuckets(core.words, segment)
  unlockMutex(core.words, segment * BLOCK_WORDS + SEGMENT_MUTEX)
}

/** Empties every tombstone slot. */
export function sweepTombstones(core: Core, segment: number): void {
  const { words, unlinked } = core
  const before = unlinked.count
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference >= 0) continue
      unlinked.add(reference & ~TOMBSTONE_BIT)
      vacate(words, bucket, slot, 0)
    }
  }
  Atomics.sub(words, segment * BLOCK_WORDS + SEGMENT_TOMBSTONES, unlinked.count - before)
}

/** Moves spilled keys back towards their homes where there is room, and recounts all overflow marks. */
export function bringHome(region: Region, segment: number): void {
  const { words } = region
  inNeighbour.fill(0)
  inStash.fill(0)
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference <= 0 || !region.contains(reference, ENTRY_DATA)) continue
      const home = homeOf(words[reference * BLOCK_WORDS + ENTRY_HASH])
      if (home !== index) bringOneHome(words, segment, home, index, slot)
    }
  }
  for (let index = 0; index < HOME_BUCKETS; index++) {
    storeOverflow(words, bucketAt(segment, index), inNeighbour[index], inStash[index])
  }
}

function bringOneHome(words: Int32Array, segment: number, homeIndex: number, index: number, slot: number): void {
  const bucket = bucketAt(segment, index)
  const home = bucketAt(segment, homeIndex)
  if (findRoom(words, home) >= 0) {
    move(words, home, home, bucket, slot)
  } else if (index < HOME_BUCKETS) {
    inNeighbour[homeIndex]++
  } else {
    const neighbour = bucketAt(segment, neighbourOf(homeIndex))
    if (findRoom(words, neighbour) < 0) {
      inStash[homeIndex]++
      return
    }
    inNeighbour[homeIndex]++
    const overflow = loadOverflow(words, home)
    storeOverflow(words, home, neighbourCount(overflow) + 1, stashCount(overflow))
    move(words, neighbour, home, bucket, slot)
  }
}

/**
 * Moves a key of `home` from a slot of `from` to `to`, which has room. It copies, steps the home's version, and clears:
 * a scan that could miss both places meets a changed home version. A tombstone in the key's way, which only a takeover
 * leaves there, changes places with it.
 */
function move(words: Int32Array, to: number, home: number, from: number, slot: number): void {
  const room = findRoom(words, to)
  const displaced = loadSlot(words, to, room)
  publish(words, to, room, loadTag(words, from, slot), loadSlot(words, from, slot))
  step(words, home)
  vacate(words, from, slot, displaced)
}
