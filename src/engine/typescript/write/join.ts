/** Shrinking: two segments that a split parted become one again. See docs/internals/protocol.md, "Join". */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_VERSION,
  CLAIM_ALL,
  ENTRY_DATA,
  ENTRY_HASH,
  HEADER_DIRECTORY_MUTEX,
  HEADER_SEGMENT_COUNT,
  HOME_BUCKETS,
  MAX_DEPTH,
  SEGMENT_CONTENTION,
  SEGMENT_DEPTH,
  SEGMENT_EXPIRY,
  SEGMENT_LABELLED,
  SEGMENT_MUTEX,
  SEGMENT_OPERATIONS,
  SEGMENT_PARTED,
  SEGMENT_PREFIX,
  SEGMENT_WINDOW,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { HASH_END } from '../../engine.js'
import { findRoom, publish, storeOverflow, vacate } from '../index/bucket.js'
import {
  bucketAt,
  homeOf,
  loadOverflow,
  loadSlot,
  neighbourCount,
  neighbourOf,
  stashCount,
  tagOf,
} from '../../../format/bucket.js'
import type { Core } from '../core.js'
import { assignSegment } from '../index/directory.js'
import { endOf } from '../../../format/segment.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { NO_PATIENCE } from '../threads/wait-budget.js'
import { mayJoin, noteGoneSegment } from './departures.js'
import { holdSegment, releaseSegment, sweepTombstones } from './restructure.js'

// Why segments are joined. For tidiness, those are left alone that were parted because their writers collided.
export const FOR_TIDINESS = 0
export const FOR_ROOM = 1

/**
 * Most entries that two segments have together when they are joined: a quarter of one's slots, so that the next inserts
 * do not split it again.
 */
export const MOST_JOINED = (ALL_BUCKETS * SLOTS_PER_BUCKET) / 4

/** Buckets that a sweep looks at first, and keys there of a segment that is not to be joined; one that is has eleven. */
const LOOKS = 4
const MANY = 20

/** Versions beyond it, unsigned, are left to wrap by themselves. */
const LAST_VERSION = 2 ** 32 - 17

/** The two halves of what a split parted: they differ in the last bit of their prefixes. */
interface Halves {
  readonly lower: number
  readonly upper: number
  /** Of both. */
  readonly depth: number
  /** Of the lower one, and of both together. */
  readonly prefix: number
  readonly bit: number
}

/** Free slots of each bucket of the lower half: used by one join at a time, since nothing interrupts it. */
const room = new Int32Array(ALL_BUCKETS)

/**
 * Joins the segment that `hash` maps to with the other half of what a split parted, if both exist, few entries are left
 * in them, and nobody is in the way. Returns the prefix of the segment that came of it, undefined if none did. The
 * thread must hold nothing.
 */
export function joinHalves(core: Core, hash: number, reason: number): number | undefined {
  const { words, budget, thread } = core
  if (!mayJoin(words)) return undefined
  const halves = findHalves(core, hash, reason)
  if (halves === undefined) return undefined
  const lower = halves.lower * BLOCK_WORDS + SEGMENT_MUTEX
  const upper = halves.upper * BLOCK_WORDS + SEGMENT_MUTEX
  const hasJoined = budget.with(NO_PATIENCE, () => {
    let joined = false
    // One claim cannot name two segments.
    thread.claim(CLAIM_ALL)
    if (lockMutex(budget, lower)) {
      if (lockMutex(budget, upper)) {
        joined = areStill(core, halves) && join(core, halves)
        unlockMutex(words, upper)
      }
      unlockMutex(words, lower)
    }
    thread.clearClaim()
    return joined
  })
  return hasJoined ? halves.prefix : undefined
}

/** Joins for as long as that succeeds, from the segment of `hash` on downwards. */
export function joinAround(core: Core, hash: number, reason: number): void {
  let next: number | undefined = hash
  for (let steps = 0; steps < MAX_DEPTH && next !== undefined; steps++) next = joinHalves(core, next, reason)
}

/** Joins whatever can be joined. O(segments). */
export function joinAll(core: Core, reason: number): void {
  const { words, lookup } = core
  for (let hash = 0; hash < HASH_END;) {
    joinAround(core, hash | 0, reason)
    if (!lookup.locateSegment(hash | 0)) return
    const end = endOf(words, lookup.segment)
    if (end <= hash) return
    hash = end
  }
}

/** Finds the halves around `hash`, without a lock. */
function findHalves(core: Core, hash: number, reason: number): Halves | undefined {
  const { words } = core
  const found = locate(core, hash)
  if (found === 0) return undefined
  const depth = words[found * BLOCK_WORDS + SEGMENT_DEPTH]
  if (depth <= 0 || depth > MAX_DEPTH) return undefined
  if (reason === FOR_TIDINESS && looksFull(words, found)) return undefined
  const bit = 1 << (32 - depth)
  const prefix = words[found * BLOCK_WORDS + SEGMENT_PREFIX] & ~bit
  const halves = { lower: locate(core, prefix), upper: locate(core, prefix | bit), depth, prefix, bit }
  if (halves.lower === 0 || halves.upper === 0 || !areHalves(core, halves)) return undefined
  if (reason === FOR_TIDINESS && (wasParted(words, halves.lower) || wasParted(words, halves.upper))) return undefined
  return countLive(words, halves.lower) + countLive(words, halves.upper) > MOST_JOINED ? undefined : halves
}

/** Looks at some buckets: most segments hold much more, and a sweep passes many. */
function looksFull(words: Int32Array, segment: number): boolean {
  let live = 0
  for (let index = 0; index < LOOKS; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) if (loadSlot(words, bucket, slot) > 0) live++
  }
  return live > MANY
}

/** Returns the segment of a hash; 0 if the directory is damaged. */
function locate({ lookup }: Core, hash: number): number {
  return lookup.locateSegment(hash) ? lookup.segment : 0
}

function areHalves({ words }: Core, { lower, upper, depth }: Halves): boolean {
  const has = (segment: number): boolean => Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_DEPTH) === depth
  return lower !== upper && has(lower) && has(upper)
}

function areStill(core: Core, halves: Halves): boolean {
  const { lower, upper, prefix, bit } = halves
  return locate(core, prefix) === lower && locate(core, prefix | bit) === upper && areHalves(core, halves)
}

function wasParted(words: Int32Array, segment: number): boolean {
  return Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_PARTED) !== 0
}

/** Counts live entries, up to some more than may be joined. */
function countLive(words: Int32Array, segment: number): number {
  let live = 0
  for (let index = 0; index < ALL_BUCKETS && live <= MOST_JOINED; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) if (loadSlot(words, bucket, slot) > 0) live++
  }
  return live
}

/** Joins two halves whose mutexes are held. Returns false, and changes no key, if that is not possible. */
function join(core: Core, halves: Halves): boolean {
  const { words, budget, unlinked } = core
  const { lower, upper } = halves
  if (!holdSegment(core, lower)) return false
  let joined = false
  if (holdSegment(core, upper)) {
    sweepTombstones(core, lower)
    sweepTombstones(core, upper)
    joined = canJoin(core, lower, upper) && lockMutex(budget, HEADER_DIRECTORY_MUTEX)
    if (joined) unite(core, halves)
    // The upper half first: until its release a reader may still find a key there that moved, and no thread may write
    // that key yet.
    releaseSegment(words, upper)
  }
  releaseSegment(words, lower)
  unlinked.freeAll()
  return joined
}

/** Returns whether versions go on and every entry of the upper half finds a place in the lower one. */
function canJoin({ words, region }: Core, lower: number, upper: number): boolean {
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const one = bucketAt(lower, index)
    const other = bucketAt(upper, index)
    if (words[one + BUCKET_EPOCH] !== words[other + BUCKET_EPOCH]) return false
    if (Math.max(words[one + BUCKET_VERSION] >>> 0, words[other + BUCKET_VERSION] >>> 0) > LAST_VERSION) return false
    room[index] = 0
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) if (loadSlot(words, one, slot) === 0) room[index]++
  }
  let live = 0
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(upper, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference <= 0) continue
      if (++live > MOST_JOINED || !region.contains(reference, ENTRY_DATA)) return false
      const home = homeOf(words[reference * BLOCK_WORDS + ENTRY_HASH])
      let at = room[home] > 0 ? home : neighbourOf(home)
      if (room[at] === 0) at = HOME_BUCKETS
      while (at < ALL_BUCKETS && room[at] === 0) at++
      if (at === ALL_BUCKETS) return false
      room[at]--
    }
  }
  return true
}

/**
 * Makes the lower half the segment of both, and lets go of the directory mutex. Up to the last store to a directory
 * entry the upper half has all of its keys, and the directory can be turned back to it.
 */
function unite({ words, region }: Core, { lower, upper, depth, prefix, bit }: Halves): void {
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(upper, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference > 0) place(words, lower, reference)
    }
  }
  takeOverWords(words, lower, upper)
  Atomics.store(words, lower * BLOCK_WORDS + SEGMENT_DEPTH, depth - 1)
  noteGoneSegment(words, upper)
  assignSegment(region, lower, prefix | bit, depth)
  Atomics.sub(words, HEADER_SEGMENT_COUNT, 1)
  unlockMutex(words, HEADER_DIRECTORY_MUTEX)
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(upper, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      if (loadSlot(words, bucket, slot) > 0) vacate(words, bucket, slot, 0)
    }
  }
}

/** Puts an entry of the upper half into the lower one, in the order of {@link canJoin}. */
function place(words: Int32Array, lower: number, entry: number): void {
  const hash = words[entry * BLOCK_WORDS + ENTRY_HASH]
  const homeIndex = homeOf(hash)
  const home = bucketAt(lower, homeIndex)
  let bucket = home
  let slot = findRoom(words, home)
  if (slot < 0) {
    const overflow = loadOverflow(words, home)
    let neighbours = neighbourCount(overflow)
    let stashed = stashCount(overflow)
    bucket = bucketAt(lower, neighbourOf(homeIndex))
    slot = findRoom(words, bucket)
    if (slot >= 0) neighbours++
    else stashed++
    for (let index = HOME_BUCKETS; slot < 0 && index < ALL_BUCKETS; index++) {
      bucket = bucketAt(lower, index)
      slot = findRoom(words, bucket)
    }
    storeOverflow(words, home, neighbours, stashed)
  }
  if (slot >= 0) publish(words, bucket, slot, tagOf(hash), entry)
}

/** No version of either half is one that the joined segment will show, and its hint is no later than either's. */
function takeOverWords(words: Int32Array, lower: number, upper: number): void {
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const at = bucketAt(lower, index) + BUCKET_VERSION
    const version = words[bucketAt(upper, index) + BUCKET_VERSION]
    if (version >>> 0 > words[at] >>> 0) Atomics.store(words, at, version)
  }
  const to = lower * BLOCK_WORDS
  const from = upper * BLOCK_WORDS
  const own = Atomics.load(words, to + SEGMENT_EXPIRY) >>> 0
  const other = Atomics.load(words, from + SEGMENT_EXPIRY) >>> 0
  if (own === 0 || (other !== 0 && other < own)) Atomics.store(words, to + SEGMENT_EXPIRY, other)
  // Where the two were looked at after different invalidations, as if neither had been looked at.
  const labelled = Atomics.load(words, to + SEGMENT_LABELLED)
  const others = Atomics.load(words, from + SEGMENT_LABELLED)
  if (others !== 0 && labelled !== others) Atomics.store(words, to + SEGMENT_LABELLED, labelled === 0 ? others : 1)
  Atomics.store(words, to + SEGMENT_PARTED, 0)
  Atomics.add(words, to + SEGMENT_CONTENTION, Atomics.load(words, from + SEGMENT_CONTENTION))
  Atomics.add(words, to + SEGMENT_OPERATIONS, Atomics.load(words, from + SEGMENT_OPERATIONS))
  Atomics.store(words, to + SEGMENT_WINDOW, Atomics.load(words, to + SEGMENT_OPERATIONS))
}
