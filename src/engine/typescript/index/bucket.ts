/**
 * One bucket: a version, eleven tagged slots, an overflow mark. See docs/internals/format.md, "Bucket". A bucket is given by the
 * index of its first word.
 *
 * Thread safety: any thread may read, and validates by the version; only the thread that made the version odd may
 * change the bucket.
 */
import {
  BUCKET_EPOCH,
  BUCKET_SLOTS,
  BUCKET_TAGS,
  BUCKET_VERSION,
  NEIGHBOUR_MASK,
  OVERFLOW_SHIFT,
  STASH_SATURATED,
  STASH_SHIFT,
} from '../../../format/layout.js'
import { OVERFLOW_WORD } from '../../../format/bucket.js'

const LOW_BITS = 0x01010101
const HIGH_BITS = 0x80808080 | 0

/**
 * Returns the high bit of each byte of `tags` that is zero, by the classic test; the lowest bit set is always right,
 * one above it may be a false positive.
 */
function zeroBytes(tags: number): number {
  return (tags - LOW_BITS) & ~tags & HIGH_BITS
}

/**
 * Returns the slots among the four of tag word `index` (0 to 2) that may hold `tag`, as the high bits of their bytes.
 * False positives cost a comparison.
 */
export function slotsWithTag(words: Int32Array, bucket: number, index: number, tag: number): number {
  const slots = zeroBytes(words[bucket + BUCKET_TAGS + index] ^ Math.imul(tag, LOW_BITS))
  return index === 2 ? slots & 0xffffff : slots
}

/** Returns the lowest slot of a non-empty result of {@link slotsWithTag}, 0 to 3. */
export function lowestSlot(slots: number): number {
  return (31 - Math.clz32(slots & -slots)) >> 3
}

/** Returns a slot without a live key, or -1. */
export function findRoom(words: Int32Array, bucket: number): number {
  for (let index = 0; index < 3; index++) {
    const slots = slotsWithTag(words, bucket, index, 0)
    if (slots === 0) continue
    const slot = index * 4 + lowestSlot(slots)
    // In a damaged region tag and reference may disagree; a live key must not be overwritten even then.
    return Atomics.load(words, bucket + BUCKET_SLOTS + slot) <= 0 ? slot : -1
  }
  return -1
}

/** Fills an empty or tombstone slot. The tag comes first: a reference without its tag would hide the key. */
export function publish(words: Int32Array, bucket: number, slot: number, tag: number, entry: number): void {
  storeTag(words, bucket, slot, tag)
  Atomics.store(words, bucket + BUCKET_SLOTS + slot, entry)
}

/** Replaces the entry of a live slot; the key, and so the tag, is the same. */
export function replace(words: Int32Array, bucket: number, slot: number, entry: number): void {
  Atomics.store(words, bucket + BUCKET_SLOTS + slot, entry)
}

/** Removes the key: `rest` is 0 or the reference as a tombstone. The tag is cleared last, for the same reason. */
export function vacate(words: Int32Array, bucket: number, slot: number, rest: number): void {
  Atomics.store(words, bucket + BUCKET_SLOTS + slot, rest)
  storeTag(words, bucket, slot, 0)
}

// Only the holder changes the word, so load and store need not be atomic together.
function storeTag(words: Int32Array, bucket: number, slot: number, tag: number): void {
  const word = bucket + BUCKET_TAGS + (slot >> 2)
  const shift = (slot & 3) * 8
  Atomics.store(words, word, (words[word] & ~(0xff << shift)) | (tag << shift))
}

/** Stores the overflow mark. Counts saturate: the largest means "that many or more". */
export function storeOverflow(words: Int32Array, home: number, neighbours: number, stashed: number): void {
  const mark = Math.min(neighbours, NEIGHBOUR_MASK) | (Math.min(stashed, STASH_SATURATED) << STASH_SHIFT)
  const word = words[home + OVERFLOW_WORD]
  Atomics.store(words, home + OVERFLOW_WORD, (word & 0xffffff) | (mark << OVERFLOW_SHIFT))
}

/** Takes a bucket if it still has the even version that was loaded. */
export function tryHold(words: Int32Array, bucket: number, version: number): boolean {
  return Atomics.compareExchange(words, bucket + BUCKET_VERSION, version, version + 1) === version
}

/** Ends the hold of the thread that made the version odd, and returns the even version. */
export function release(words: Int32Array, bucket: number): number {
  const next = (words[bucket + BUCKET_VERSION] + 1) | 0
  if (next === 0) Atomics.store(words, bucket + BUCKET_EPOCH, (words[bucket + BUCKET_EPOCH] + 1) | 0)
  Atomics.store(words, bucket + BUCKET_VERSION, next)
  return next
}

/**
 * Separates two steps that no reader may take for one, without releasing the bucket: the version goes from odd to the
 * next odd number.
 */
export function step(words: Int32Array, bucket: number): void {
  const next = (words[bucket + BUCKET_VERSION] + 2) | 0
  if (next === 1) Atomics.store(words, bucket + BUCKET_EPOCH, (words[bucket + BUCKET_EPOCH] + 1) | 0)
  Atomics.store(words, bucket + BUCKET_VERSION, next)
}
