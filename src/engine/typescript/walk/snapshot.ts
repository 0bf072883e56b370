/** A copy of all entries at one instant. See docs/internals/protocol.md, "Snapshot". */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  ENTRY_DATA,
  ENTRY_META,
  KEY_KIND_MASK,
  KEY_KIND_SHIFT,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import {
  CORRUPT,
  DONE,
  FULL,
  HASH_END,
  NO_LIMIT,
  NOT_DONE,
  RESULT_EXPIRES_AT,
  RESULT_LENGTH,
  RESULT_STATUS,
} from '../../engine.js'
import { bucketAt, loadSlot } from '../../../format/bucket.js'
import type { Core } from '../core.js'
import { copyWords, labelCountOf, sizeOf } from '../../../format/entry.js'
import { now } from '../index/expiry.js'
import { LabelCopy } from './label-copy.js'
import { isLease } from '../../../format/lease.js'
import { WEAKLY_ORDERED } from '../../../format/region.js'
import { holdEverything, maxSegments, releaseHeld } from '../write/restructure.js'
import { endOf } from '../../../format/segment.js'

/** Length of a piece: making one is cheap compared with filling it, and little is wasted at the end. */
const PIECE_WORDS = 2 ** 18

/** A pass in which fewer buckets changed is the last one: what changes during a further pass is no less. */
const FEW_CHANGES = 64
const MAX_PASSES = 4

/**
 * Copies all entries. Ends with status DONE and the number of entries in RESULT_LENGTH; with TIMEOUT or CORRUPT it
 * returns nothing.
 */
export function takeSnapshot(core: Core): Int32Array<ArrayBuffer>[] {
  const job = new SnapshotJob(core)
  while (!job.copyAhead(NO_LIMIT)) continue
  if (core.result[RESULT_STATUS] === DONE) job.finish()
  return core.result[RESULT_STATUS] === DONE ? job.pieces : []
}

/** A snapshot in steps, of which only the last one holds other threads up. */
export class SnapshotJob {
  /** The copied entries, after {@link SnapshotJob.finish} with status DONE. */
  pieces: Int32Array<ArrayBuffer>[] = []
  private readonly copy: Copy
  private ahead: Generator<void, boolean, undefined>
  /** The departures that this thread had heeded when the first segment was copied. */
  private departures: number

  constructor(private readonly core: Core) {
    this.copy = new Copy(core)
    this.ahead = this.copy.addAhead()
    this.departures = core.departures
  }

  /**
   * Drops the copies if segments left since the last call: their blocks may be anything by now, segments too. So no copy
   * can be told from one of another segment.
   */
  private beginAgainAfterDepartures(): void {
    if (this.departures === this.core.departures) return
    this.departures = this.core.departures
    this.copy.discardAll()
    this.ahead = this.copy.addAhead()
  }

  /**
   * Copies most entries while other threads go on writing, some segments at a time. Returns true once it is time to
   * finish, or if the status is CORRUPT.
   */
  copyAhead(segments: number): boolean {
    this.core.end(DONE)
    this.beginAgainAfterDepartures()
    for (let left = segments; left > 0; left--) {
      const step = this.ahead.next()
      if (step.done !== true) continue
      if (!step.value) this.core.end(CORRUPT)
      return true
    }
    return false
  }

  /** Copies what changed since, at one instant; ends as {@link takeSnapshot} does. O(segments + changes). */
  finish(): void {
    this.beginAgainAfterDepartures()
    const status = complete(this.core, this.copy)
    this.core.end(status)
    if (status !== DONE) return
    this.core.result[RESULT_LENGTH] = this.copy.count
    this.pieces = this.copy.finish()
  }
}

function complete(core: Core, copy: Copy): number {
  const held: number[] = []
  let released = 0
  try {
    let status = holdEverything(core, held)
    // Now no write is under way anywhere: this is the instant. The entries of one instant fit into the region.
    core.resultDoubles[RESULT_EXPIRES_AT] = now(core.region)
    copy.budget = core.words.length
    copy.labels.take(core.region)
    for (; released < held.length; released++) {
      if (status === DONE && !copy.complete(held[released])) status = CORRUPT
      releaseHeld(core, held[released])
    }
    copy.discardAll()
    return status
  } finally {
    // Segments are left only if there was no memory for a piece.
    for (; released < held.length; released++) releaseHeld(core, held[released])
    core.thread.clearClaim()
  }
}

/** The copied part of a segment: for each bucket the words below. */
interface SegmentCopy {
  readonly segment: number
  readonly buckets: Int32Array
}

// Words of a bucket in SegmentCopy.
/** The version that the bucket had, or NOT_COPIED. */
const COPY_VERSION = 0
/** Number of entries. */
const COPY_COUNT = 1
/** Index of their piece, and of their first word in it. */
const COPY_PIECE = 2
const COPY_START = 3
const COPY_WORDS = 4

/** No bucket at rest has this version. */
const NOT_COPIED = 1
const KEY_KIND_BITS = KEY_KIND_MASK << KEY_KIND_SHIFT

/** Copies of entries in the format of the region, one after the other, in pieces. Each lies within one piece. */
class Copy {
  count = 0
  /** The labels' generations at the instant. */
  readonly labels = new LabelCopy()
  /** Number of buckets that the present pass has copied. */
  private changed = 0
  /** Number of words that may still be copied: damaged references could make every entry as long as the region. */
  budget: number
  /** The segments copied ahead, by block number. */
  private readonly segments = new Map<number, SegmentCopy>()
  private readonly pieces: Int32Array<ArrayBuffer>[] = []
  private readonly used: number[] = []
  // The entries of the bucket being copied: block numbers, and lengths in words.
  private readonly blocks = new Int32Array(SLOTS_PER_BUCKET)
  private readonly lengths = new Float64Array(SLOTS_PER_BUCKET)

  constructor(private readonly core: Core) {
    this.budget = 2 * core.words.length // both passes ahead may have to copy everything
  }

  /**
   * Copies most entries while all threads go on writing, a segment a step; beyond the budget, the rest is copied later.
   * Returns false if the region is damaged.
   */
  *addAhead(): Generator<void, boolean, undefined> {
    const { words, lookup } = this.core
    for (let hash = 0; hash < HASH_END;) {
      if (!lookup.locateSegment(hash | 0)) return false
      const { segment } = lookup
      const end = endOf(words, segment)
      if (end <= hash) break // a split is under way; the rest is copied later
      const copy = newCopy(segment)
      const before = this.segments.get(segment)
      if (before !== undefined) this.discardSegment(before)
      this.segments.set(segment, copy)
      if (this.segments.size > maxSegments(words)) return false
      const status = this.refresh(copy)
      if (status !== DONE) return status === FULL
      hash = end
      yield
    }
    for (let pass = 1; pass < MAX_PASSES; pass++) {
      this.changed = 0
      for (const copy of this.segments.values()) {
        const status = this.refresh(copy)
        if (status !== DONE) return status === FULL
        yield
      }
      if (this.changed < FEW_CHANGES) break
    }
    return true
  }

  /**
   * Brings the copy of a held segment up to date. Called for all segments; the others that were copied ahead vanished
   * in joins, and are discarded. Returns false if the region is damaged.
   */
  complete(segment: number): boolean {
    // A segment that was not copied ahead was split off since.
    const { buckets } = this.segments.get(segment) ?? newCopy(segment)
    this.segments.delete(segment)
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(segment, index)
      const copy = index * COPY_WORDS
      // The bucket is held, so its version is one higher than at rest.
      if (this.core.words[bucket + BUCKET_VERSION] !== ((buckets[copy + COPY_VERSION] + 1) | 0)) {
        this.discard(buckets, copy)
        if (this.addBucket(bucket, buckets, copy) !== DONE) return false
      }
      this.count += buckets[copy + COPY_COUNT]
      if (this.labels.isUsed) this.count -= this.dropInvalidated(buckets, copy)
    }
    return true
  }

  /** Marks the copies of all segments that were not completed as out of date, and forgets them. */
  discardAll(): void {
    for (const copy of this.segments.values()) this.discardSegment(copy)
    this.segments.clear()
  }

  private discardSegment({ buckets }: SegmentCopy): void {
    for (let index = 0; index < ALL_BUCKETS; index++) this.discard(buckets, index * COPY_WORDS)
  }

  finish(): Int32Array<ArrayBuffer>[] {
    return this.pieces.map((piece, i) => piece.subarray(0, this.used[i])).filter(({ length }) => length > 0)
  }

  /**
   * Copies the buckets of a segment that changed since the last copy, but not those that are being changed. Returns
   * DONE, FULL or CORRUPT.
   */
  private refresh({ segment, buckets }: SegmentCopy): number {
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(segment, index)
      const copy = index * COPY_WORDS
      const version = Atomics.load(this.core.words, bucket + BUCKET_VERSION)
      if ((version & 1) !== 0 || version === buckets[copy + COPY_VERSION]) continue
      this.changed++
      this.discard(buckets, copy)
      const status = this.addBucket(bucket, buckets, copy)
      if (status < 0) return status
    }
    return DONE
  }

  /**
   * Copies the entries of a bucket. Copies nothing and returns NOT_DONE if the bucket changed meanwhile, and FULL
   * beyond the budget.
   */
  private addBucket(bucket: number, buckets: Int32Array, copy: number): number {
    const { words, region } = this.core
    const { blocks, lengths } = this
    const version = Atomics.load(words, bucket + BUCKET_VERSION)
    let count = 0
    let total = 0
    let isDamaged = false
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference <= 0) continue
      const isWithin = region.contains(reference, ENTRY_DATA)
      if (isWithin && isLease(words, reference)) continue
      const length = isWithin ? sizeOf(words, reference * BLOCK_WORDS) / 4 : Infinity
      if (!region.contains(reference, length)) isDamaged = true
      blocks[count] = reference
      lengths[count++] = length
      total += length
    }
    // Checked before room is made for lengths that are not reliable yet.
    if (!this.isStill(bucket, version)) return NOT_DONE
    if (isDamaged) return CORRUPT
    if (total > this.budget) return FULL
    this.budget -= total
    if (count > 0) this.makeRoom(total)
    const last = this.pieces.length - 1
    buckets[copy + COPY_VERSION] = version
    buckets[copy + COPY_COUNT] = count
    buckets[copy + COPY_PIECE] = last
    buckets[copy + COPY_START] = this.used[last]
    for (let i = 0, at = this.used[last]; i < count; at += lengths[i++]) {
      copyWords(words, blocks[i] * BLOCK_WORDS, this.pieces[last], at, lengths[i])
    }
    if (!this.isStill(bucket, version) || !this.haveLengths(this.pieces[last], this.used[last], count)) {
      buckets[copy + COPY_VERSION] = NOT_COPIED
      buckets[copy + COPY_COUNT] = 0
      return NOT_DONE
    }
    if (count > 0) this.used[last] += total
    return DONE
  }

  /**
   * Returns whether the entries from word `start` of `piece` on have the lengths that were read before the copy. Only a
   * region that changes without a version can make the two differ; but a walk over the copy must not lead out of it.
   */
  private haveLengths(piece: Int32Array, start: number, count: number): boolean {
    for (let i = 0, at = start; i < count; at += this.lengths[i++]) {
      if (sizeOf(piece, at) / 4 !== this.lengths[i]) return false
    }
    return true
  }

  /** Marks copied entries that had been invalidated as out of date, and returns their number. */
  private dropInvalidated(buckets: Int32Array, copy: number): number {
    const piece = this.pieces[buckets[copy + COPY_PIECE]]
    let at = buckets[copy + COPY_START]
    let dropped = 0
    for (let left = buckets[copy + COPY_COUNT]; left > 0; left--) {
      if (labelCountOf(piece, at) !== 0 && this.labels.isInvalidated(piece, at)) {
        piece[at + ENTRY_META] &= ~KEY_KIND_BITS
        dropped++
      }
      at += sizeOf(piece, at) / 4
    }
    return dropped
  }

  /** Marks copied entries as out of date. */
  private discard(buckets: Int32Array, copy: number): void {
    const piece = this.pieces[buckets[copy + COPY_PIECE]]
    let at = buckets[copy + COPY_START]
    for (let left = buckets[copy + COPY_COUNT]; left > 0; left--) {
      piece[at + ENTRY_META] &= ~KEY_KIND_BITS
      at += sizeOf(piece, at) / 4
    }
    buckets[copy + COPY_VERSION] = NOT_COPIED
    buckets[copy + COPY_COUNT] = 0
  }

  private isStill(bucket: number, version: number): boolean {
    if (WEAKLY_ORDERED) this.core.thread.fence()
    return Atomics.load(this.core.words, bucket + BUCKET_VERSION) === version
  }

  /** Makes sure that the last piece has room for `words` words. */
  private makeRoom(words: number): void {
    const last = this.pieces.length - 1
    if (last >= 0 && this.used[last] + words <= this.pieces[last].length) return
    this.pieces.push(new Int32Array(Math.max(words, PIECE_WORDS)))
    this.used.push(0)
  }
}

function newCopy(segment: number): SegmentCopy {
  const buckets = new Int32Array(ALL_BUCKETS * COPY_WORDS)
  for (let index = 0; index < ALL_BUCKETS; index++) buckets[index * COPY_WORDS + COPY_VERSION] = NOT_COPIED
  return { segment, buckets }
}
