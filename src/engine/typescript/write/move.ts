/** Moves an entry to another block. See docs/internals/protocol.md, "Compaction". */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_SLOTS,
  BUCKET_VERSION,
  ENTRY_DATA,
  ENTRY_HASH,
  HOME_BUCKETS,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { DONE } from '../../engine.js'
import {
  bucketAt,
  homeOf,
  loadOverflow,
  loadSlot,
  neighbourCount,
  neighbourOf,
  stashCount,
  TOMBSTONE_BIT,
} from '../../../format/bucket.js'
import { release, replace, tryHold } from '../index/bucket.js'
import { sizeOf } from '../../../format/entry.js'
import type { Core } from '../core.js'
import { holdBucket, lockSegment, unlockSegment } from './restructure.js'
import { emptyTombstones } from './tombstones.js'
import { NO_PATIENCE } from '../threads/wait-budget.js'
import { WEAKLY_ORDERED } from '../../../format/region.js'

/** The entry lies elsewhere now, and its block is free; or, from {@link lookAtBlock}, there is an entry. */
export const MOVED = 0
/** No slot refers to the block. */
export const NOTHING = 1
/** A slot refers to it as a tombstone. */
export const IS_TOMBSTONE = 2
/** Another thread is in the way. */
export const BUSY = 3
/** No other span of its class has room. */
export const NO_ROOM = 4

/** Lost races before an entry is left where it is for now. */
const MOVE_TRIES = 4

/**
 * Moves entries for one thread.
 *
 * Thread safety: one thread, while it holds nothing. Waits for no other thread.
 */
export class Mover {
  private readonly words: Int32Array
  /** The slot that refers to a block, as {@link Mover.seek} found it. */
  private bucket = 0
  private slot = 0
  private isTombstone = false

  constructor(private readonly core: Core) {
    this.words = core.words
  }

  /** Looks whether a slot refers to the block: MOVED if a live one does. The block may hold anything. */
  lookAt(block: number): number {
    const { lookup, region } = this.core
    if (!region.contains(block, ENTRY_DATA)) return NOTHING
    const hash = this.hashAt(block)
    if (!lookup.locateSegment(hash) || !this.seek(lookup.segment, hash, block)) return NOTHING
    return this.isTombstone ? IS_TOMBSTONE : MOVED
  }

  /**
   * Frees the block, and the others of the bucket, if a slot refers to it as a tombstone. Returns what
   * {@link Mover.lookAt} then does. The block may hold anything.
   */
  dropTombstone(block: number): number {
    if (this.lookAt(block) !== IS_TOMBSTONE) return NOTHING
    emptyTombstones(this.core, this.bucket)
    return this.lookAt(block)
  }

  /**
   * Moves the entry in a block, if there is one, to a block outside the pages from `avoidedFrom` up to `avoidedTo`. It
   * keeps its key, value, version, expiry and node; the version of its home bucket grows.
   */
  move(block: number, avoidedFrom: number, avoidedTo: number): number {
    const { lookup, budget, region } = this.core
    if (!region.contains(block, ENTRY_DATA)) return NOTHING
    const { patience } = budget
    budget.patience = NO_PATIENCE
    let moved = BUSY
    for (let tries = 0; tries < MOVE_TRIES && moved === BUSY; tries++) {
      const hash = this.hashAt(block)
      if (!lookup.locateSegment(hash) || !this.seek(lookup.segment, hash, block)) moved = NOTHING
      else if (this.isTombstone) moved = IS_TOMBSTONE
      else if (this.bucket === bucketAt(lookup.segment, homeOf(hash)))
        moved = this.moveAtHome(hash, block, avoidedFrom, avoidedTo)
      else moved = this.moveSpilled(hash, block, avoidedFrom, avoidedTo)
    }
    budget.patience = patience
    return moved
  }

  /** Moves an entry that is in its home bucket, in the lookup's segment. */
  private moveAtHome(hash: number, block: number, avoidedFrom: number, avoidedTo: number): number {
    const { words, core } = this
    const { lookup, thread } = core
    const home = bucketAt(lookup.segment, homeOf(hash))
    const version = Atomics.load(words, home + BUCKET_VERSION)
    if ((version & 1) !== 0 || !lookup.stillMaps()) return BUSY
    // The block may have become another key's since its hash was read, even one that spilled into this bucket.
    const isAtHome = this.seekIn(home, block) && !this.isTombstone && this.hashAt(block) === hash
    const bytes = this.entryBytes(block)
    if (WEAKLY_ORDERED) thread.fence()
    if (!isAtHome || bytes === 0 || Atomics.load(words, home + BUCKET_VERSION) !== version) return BUSY
    const copy = this.copy(block, bytes, avoidedFrom, avoidedTo)
    if (copy < 0) return NO_ROOM
    if (WEAKLY_ORDERED) thread.fence()
    thread.claim(home / BLOCK_WORDS)
    // The swap shows that the copy is the entry as it still is: a lease or counter changes in place under a version of
    // its own.
    const isHeld = tryHold(words, home, version)
    if (isHeld) {
      replace(words, home, this.slot, copy)
      release(words, home)
    }
    thread.clearClaim()
    if (isHeld) core.blocks.freeMoved(block)
    else core.blocks.free(copy, bytes)
    return isHeld ? MOVED : BUSY
  }

  /** Moves an entry that is in the neighbour or the stash, for which its home must be held, too. */
  private moveSpilled(hash: number, block: number, avoidedFrom: number, avoidedTo: number): number {
    const { words, core } = this
    if (lockSegment(core, hash) !== DONE) return BUSY
    const { segment } = core.lookup
    const home = bucketAt(segment, homeOf(hash))
    let moved = BUSY
    if (holdBucket(core, home, segment)) {
      if (this.seek(segment, hash, block) && !this.isTombstone && this.bucket !== home) {
        const { bucket, slot } = this
        if (holdBucket(core, bucket, segment)) {
          // As in `moveAtHome`.
          const isThere = loadSlot(words, bucket, slot) === block && this.hashAt(block) === hash
          const bytes = isThere ? this.entryBytes(block) : 0
          const copy = bytes === 0 ? 0 : this.copy(block, bytes, avoidedFrom, avoidedTo)
          if (copy > 0) {
            replace(words, bucket, slot, copy)
            moved = MOVED
          } else if (copy < 0) moved = NO_ROOM
          release(words, bucket)
        }
      }
      release(words, home)
    }
    unlockSegment(core, segment)
    if (moved === MOVED) core.blocks.freeMoved(block)
    return moved
  }

  /** Copies an entry into a block that only this thread knows, which it returns; or a negative status. */
  private copy(block: number, bytes: number, avoidedFrom: number, avoidedTo: number): number {
    const copy = this.core.blocks.allocateCopy(bytes, avoidedFrom, avoidedTo)
    if (copy < 0) return copy
    const from = block * BLOCK_WORDS
    this.words.copyWithin(copy * BLOCK_WORDS, from, from + bytes / 4)
    return copy
  }

  /** Finds the slot in home, neighbour or stash of a hash that refers to the block. */
  private seek(segment: number, hash: number, block: number): boolean {
    const { words } = this
    const index = homeOf(hash)
    const home = bucketAt(segment, index)
    if (this.seekIn(home, block)) return true
    const overflow = loadOverflow(words, home)
    if (overflow === 0) return false
    if (neighbourCount(overflow) > 0 && this.seekIn(bucketAt(segment, neighbourOf(index)), block)) return true
    if (stashCount(overflow) === 0) return false
    for (let stash = HOME_BUCKETS; stash < ALL_BUCKETS; stash++) {
      if (this.seekIn(bucketAt(segment, stash), block)) return true
    }
    return false
  }

  private seekIn(bucket: number, block: number): boolean {
    // A hint until the bucket is held: so plain loads do.
    const { words } = this
    const slots = bucket + BUCKET_SLOTS
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = words[slots + slot]
      if ((reference & ~TOMBSTONE_BIT) !== block) continue
      this.bucket = bucket
      this.slot = slot
      this.isTombstone = reference < 0
      return true
    }
    return false
  }

  private hashAt(block: number): number {
    return this.words[block * BLOCK_WORDS + ENTRY_HASH]
  }

  /** Returns the bytes of the entry in a block; 0 if no entry can lie there. */
  private entryBytes(block: number): number {
    const { region } = this.core
    if (!region.contains(block, ENTRY_DATA)) return 0
    const bytes = sizeOf(this.words, block * BLOCK_WORDS)
    return region.contains(block, bytes / 4) ? bytes : 0
  }
}
