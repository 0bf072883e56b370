/** Collects keys in hash order, for iterators. See docs/internals/protocol.md, "Iteration". */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  ENTRY_DATA,
  ENTRY_HASH,
  ENTRY_META,
  MAX_DEPTH,
  SEGMENT_DEPTH,
  SEGMENT_MOVES,
  SEGMENT_PREFIX,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import {
  CORRUPT,
  DONE,
  KEY_RECORD_WORDS,
  RESULT_LENGTH,
  RESULT_STATUS,
  SCRATCH_TOO_SMALL,
  TIMEOUT,
} from '../../engine.js'
import { KEPT_BYTES } from '../../../base/kept.js'
import { Backoff } from '../threads/backoff.js'
import { bucketAt, loadSlot } from '../../../format/bucket.js'
import type { Core } from '../core.js'
import { KEY_META_MASK, keyKindOf, keyLengthOf, valueKindOf, wordsFor } from '../../../format/entry.js'
import { isLeaseKind } from '../../../format/kinds.js'
import { WEAKLY_ORDERED } from '../../../format/region.js'
import { endOf } from '../../../format/segment.js'

/**
 * Bound on the keys of a walk, in regions: the keys of a segment fit into one. A walk may meet more, if keys come and
 * go meanwhile, but not so many times more; damaged references may make every key one of the longest.
 */
const MAX_WALKS = 4
const MAX_KEYS = ALL_BUCKETS * SLOTS_PER_BUCKET
/** Room for a key's number beside its hash in a double that sorts by hash. */
const NUMBERS = 1024
const INITIAL_WORDS = 16_384

/** Collects keys for one engine, a segment at a time. Keeps its buffers from call to call, up to KEPT_BYTES. */
export class Collector {
  private count = 0
  private used = 0
  private end = 0
  private readonly order = new Float64Array(MAX_KEYS)
  private readonly metas = new Int32Array(MAX_KEYS)
  private readonly offsets = new Float64Array(MAX_KEYS)
  /** Versions of the buckets when they were read. */
  private readonly versions = new Int32Array(ALL_BUCKETS)
  private bytes = new Int32Array(INITIAL_WORDS)

  constructor(private readonly core: Core) {}

  /**
   * Copies the keys with the first hashes from `from` to below `to`, of one segment at most, into the scratch buffer,
   * and stops after the hash that brings their number to `limit`. Returns the hash to go on from. O(segment).
   */
  collect(from: number, to: number, limit: number): number {
    const { result } = this.core
    result[RESULT_LENGTH] = 0
    if (from >= to) {
      result[RESULT_STATUS] = DONE
      return to
    }
    const status = this.collectSegment(from, to)
    this.core.end(status)
    const next = status === DONE ? Math.min(this.deliver(limit), to) : from
    if (this.bytes.byteLength > KEPT_BYTES) this.bytes = new Int32Array(INITIAL_WORDS)
    return next
  }

  /**
   * Collects from the whole segment that covers the first hash. It does not wait for a thread that holds the segment to
   * move keys, only for the buckets that change.
   */
  private collectSegment(from: number, to: number): number {
    const { core } = this
    const { words, lookup } = core
    let backoff: Backoff | undefined
    for (;;) {
      if (!lookup.locateSegment(from | 0)) return CORRUPT
      const { segment } = lookup
      backoff ??= Backoff.forOthers(core.budget)
      const moves = Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_MOVES)
      const depth = words[segment * BLOCK_WORDS + SEGMENT_DEPTH]
      this.count = 0
      this.used = 0
      this.end = endOf(words, segment)
      let status = depth < 0 || depth > MAX_DEPTH ? CORRUPT : DONE
      for (let index = 0; index < ALL_BUCKETS && status === DONE; index++) {
        status = this.collectBucket(segment, index, from, to, backoff)
      }
      if (WEAKLY_ORDERED) core.thread.fence()
      const isInMotion = (moves & 1) !== 0
      const isUndisturbed =
        Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_MOVES) === moves &&
        lookup.stillMaps() &&
        (!isInMotion || status !== DONE || this.areUnchanged(segment))
      if (isUndisturbed && status !== TIMEOUT) {
        if (isInMotion) this.leaveMoved(segment)
        return status === DONE && this.end <= from ? CORRUPT : status
      }
      if (status === TIMEOUT || !backoff.wait()) return TIMEOUT
    }
  }

  /**
   * Returns whether the buckets of a segment in which keys move still have the versions of their reading: then no key
   * moved from a bucket still to be read to one already read.
   */
  private areUnchanged(segment: number): boolean {
    const { words } = this.core
    return this.versions.every((version, index) => {
      return Atomics.load(words, bucketAt(segment, index) + BUCKET_VERSION) === version
    })
  }

  /** Leaves keys that a split may have moved already to the new segment, once the directory names that throughout. */
  private leaveMoved(segment: number): void {
    const { lookup, words } = this.core
    const start = words[segment * BLOCK_WORDS + SEGMENT_PREFIX] >>> 0
    if (!lookup.locateSegment((this.end - 1) | 0) || lookup.segment !== segment) this.end = (start + this.end) / 2
    let kept = 0
    for (let i = 0; i < this.count; i++) {
      if (this.order[i] < this.end * NUMBERS) this.order[kept++] = this.order[i]
    }
    this.count = kept
  }

  /** Adds the keys of one bucket, read without interference. */
  private collectBucket(segment: number, index: number, from: number, to: number, backoff: Backoff): number {
    const { words, region, thread } = this.core
    const { count, used } = this
    const bucket = bucketAt(segment, index)
    for (;;) {
      const version = Atomics.load(words, bucket + BUCKET_VERSION)
      this.versions[index] = version
      let status = DONE
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
        const reference = loadSlot(words, bucket, slot)
        if (reference <= 0) continue
        if (!region.contains(reference, ENTRY_DATA) || !this.add(reference, from, to)) status = CORRUPT
      }
      if (WEAKLY_ORDERED) thread.fence()
      if (Atomics.load(words, bucket + BUCKET_VERSION) === version) return status
      this.count = count
      this.used = used
      if (!backoff.wait()) return TIMEOUT
    }
  }

  /** Copies one key, unless it is a lease's. Returns false if the key leads out of the region. */
  private add(block: number, from: number, to: number): boolean {
    const { words, region } = this.core
    const entry = block * BLOCK_WORDS
    const hash = words[entry + ENTRY_HASH] >>> 0
    const meta = words[entry + ENTRY_META]
    const length = wordsFor(keyLengthOf(meta))
    if (!region.contains(block, ENTRY_DATA + length) || this.used + length > MAX_WALKS * words.length) return false
    if (hash < from || hash >= to || isLeaseKind(valueKindOf(meta))) return true
    if (this.used + length > this.bytes.length) this.grow(this.used + length)
    for (let i = 0; i < length; i++) this.bytes[this.used + i] = words[entry + ENTRY_DATA + i]
    this.order[this.count] = hash * NUMBERS + this.count
    this.metas[this.count] = meta
    this.offsets[this.count] = this.used
    this.count++
    this.used += length
    return true
  }

  /** Writes the collected keys to the scratch buffer, in hash order, as many as fit. */
  private deliver(limit: number): number {
    const { result, scratchWords } = this.core
    const order = this.dropRepeats(this.order.subarray(0, this.count).sort())
    let filled = 0
    let delivered = 0
    while (delivered < order.length) {
      const hash = hashOf(order[delivered])
      let next = delivered
      let size = 0
      // Keys with the same hash go together, so that the caller can go on from a hash.
      for (; next < order.length && hashOf(order[next]) === hash; next++) {
        size += KEY_RECORD_WORDS + wordsFor(keyLengthOf(this.metas[order[next] % NUMBERS]))
      }
      if (filled + size > scratchWords.length || delivered >= limit) {
        if (delivered === 0) result[RESULT_STATUS] = SCRATCH_TOO_SMALL
        result[RESULT_LENGTH] = delivered === 0 ? size * 4 : delivered
        return hash
      }
      for (; delivered < next; delivered++) filled = this.deliverKey(order[delivered] % NUMBERS, filled)
    }
    result[RESULT_LENGTH] = delivered
    return this.end
  }

  /** Drops repeated keys: a key that is deleted and inserted again during the walk may be met in two buckets. */
  private dropRepeats(order: Float64Array): Float64Array {
    let kept = 0
    for (const each of order) if (!this.isAmong(order, kept, each)) order[kept++] = each
    return order.subarray(0, kept)
  }

  /**
   * Returns whether the key of `each` is one of the first `count` keys of `order`, which are sorted and have no higher
   * hash.
   */
  private isAmong(order: Float64Array, count: number, each: number): boolean {
    const hash = hashOf(each)
    for (let i = count - 1; i >= 0 && hashOf(order[i]) === hash; i--) {
      if (this.isSameKey(order[i] % NUMBERS, each % NUMBERS)) return true
    }
    return false
  }

  private isSameKey(a: number, b: number): boolean {
    const { metas, offsets, bytes } = this
    if (((metas[a] ^ metas[b]) & KEY_META_MASK) !== 0) return false
    const length = wordsFor(keyLengthOf(metas[a]))
    for (let i = 0; i < length; i++) if (bytes[offsets[a] + i] !== bytes[offsets[b] + i]) return false
    return true
  }

  private deliverKey(number: number, at: number): number {
    const { scratchWords } = this.core
    const meta = this.metas[number]
    const length = wordsFor(keyLengthOf(meta))
    scratchWords[at] = keyKindOf(meta)
    scratchWords[at + 1] = keyLengthOf(meta)
    const from = this.offsets[number]
    for (let i = 0; i < length; i++) scratchWords[at + KEY_RECORD_WORDS + i] = this.bytes[from + i]
    return at + KEY_RECORD_WORDS + length
  }

  private grow(words: number): void {
    const grown = new Int32Array(Math.max(words, this.bytes.length * 2))
    grown.set(this.bytes)
    this.bytes = grown
  }
}

/** Returns the hash of an element of a collector's order. */
function hashOf(element: number): number {
  return Math.floor(element / NUMBERS)
}
