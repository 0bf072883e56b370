/**
 * Entries: built once, published, and never changed, except counters (counter.ts) and leases (lease.ts). See
 * docs/internals/format.md, "Entry". An entry is given by the index of its first word, or by its block number where the
 * parameter is called `block`.
 *
 * Readers may look at an entry whose block was freed and reused meanwhile. They never trust what they see until the
 * version of the bucket they came from was validated; until then lengths are only checked against the region's end.
 */
import type { KeyBuffer } from './key.js'
import {
  BLOCK_WORDS,
  COUNTER_SECOND_VALUE,
  COUNTER_SECOND_VERSION,
  COUNTER_WORDS,
  ENTRY_COUNTER,
  ENTRY_DATA,
  ENTRY_EXPIRES,
  ENTRY_HASH,
  ENTRY_HEADER_BYTES,
  ENTRY_META,
  ENTRY_NODE,
  ENTRY_SECOND_CELL,
  ENTRY_STALE,
  ENTRY_VALUE_LENGTH,
  ENTRY_VERSION,
  EXPIRY_WORDS,
  KEY_KIND_MASK,
  KEY_KIND_SHIFT,
  KEY_LENGTH_BITS,
  LABEL_COUNT_SHIFT,
  LABEL_WORDS,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
  VALUE_NUMBER,
} from './layout.js'
import type { Region } from './region.js'

/** The expiry of an entry that does not expire. */
export const NEVER = 0

/** The bits of ENTRY_META that hold key length and key kind. */
export const KEY_META_MASK = 2 ** VALUE_KIND_SHIFT - 1
/** The bits of the higher word of an entry's version that are not its number of labels. */
export const VERSION_HIGH_MASK = 2 ** LABEL_COUNT_SHIFT - 1
const KEY_LENGTH_MASK = 2 ** KEY_LENGTH_BITS - 1
/** Number of words below which a loop is faster than a call of `set`. */
const SHORT_COPY_WORDS = 128

/** Returns the number of words that `bytes` bytes fill, for any unsigned 32-bit number of bytes. */
export function wordsFor(bytes: number): number {
  return (bytes >>> 2) + (((bytes & 3) + 3) >>> 2)
}

/**
 * @param flags ENTRY_EXPIRES, ENTRY_STALE and ENTRY_COUNTER, of ENTRY_META
 * @param labels number of labels
 */
export function entryBytes(keyLength: number, valueLength: number, flags: number, labels: number): number {
  const words = wordsFor(keyLength) + valueWords(valueLength, flags) + labels * LABEL_WORDS + trailerWords(flags)
  return ENTRY_HEADER_BYTES + words * 4
}

/** Returns the number of words between key and trailer: of a value, or of both cells of a counter. */
export function valueWords(valueLength: number, flags: number): number {
  return (flags & ENTRY_COUNTER) === 0 ? wordsFor(valueLength) : COUNTER_WORDS
}

/** Returns the number of labels of an entry. */
export function labelCountOf(words: Int32Array, entry: number): number {
  return words[entry + ENTRY_VERSION + 1] >>> LABEL_COUNT_SHIFT
}

/** Returns the index of the first label, which follows the value or the cells. */
export function labelsAt(words: Int32Array, entry: number): number {
  const meta = words[entry + ENTRY_META]
  return entry + ENTRY_DATA + wordsFor(keyLengthOf(meta)) + valueWords(valueLengthOf(words, entry), meta)
}

/**
 * Returns the number of words after the labels: the time until which the entry may be returned after its expiry, and the
 * time of its expiry, each only if its flag is set.
 */
export function trailerWords(flags: number): number {
  return ((flags & ENTRY_EXPIRES) === 0 ? 0 : EXPIRY_WORDS) + ((flags & ENTRY_STALE) === 0 ? 0 : EXPIRY_WORDS)
}

export function keyLengthOf(meta: number): number {
  return meta & KEY_LENGTH_MASK
}

export function keyKindOf(meta: number): number {
  return (meta >>> KEY_KIND_SHIFT) & KEY_KIND_MASK
}

export function valueKindOf(meta: number): number {
  return (meta >>> VALUE_KIND_SHIFT) & VALUE_KIND_MASK
}

/** Returns the length of the value in bytes. */
export function valueLengthOf(words: Int32Array, entry: number): number {
  return words[entry + ENTRY_VALUE_LENGTH] >>> 0
}

/**
 * Loads the meta word. For a counter the load is atomic: it pairs with the store that turns the cells, so that the
 * current cell is complete.
 */
export function metaOf(words: Int32Array, entry: number): number {
  const meta = words[entry + ENTRY_META]
  return (meta & ENTRY_COUNTER) === 0 ? meta : Atomics.load(words, entry + ENTRY_META)
}

/** Returns whether the second of a counter's cells is the current one. */
export function isInSecondCell(meta: number): boolean {
  return (meta & ENTRY_COUNTER) !== 0 && (meta & ENTRY_SECOND_CELL) !== 0
}

/** Returns the index of the first word of the value. */
export function valueAt(entry: number, meta: number): number {
  const data = entry + ENTRY_DATA + wordsFor(keyLengthOf(meta))
  return isInSecondCell(meta) ? data + COUNTER_SECOND_VALUE : data
}

/** Returns the index of the first of the two words of the entry version. */
export function versionAt(entry: number, meta: number): number {
  if (!isInSecondCell(meta)) return entry + ENTRY_VERSION
  return entry + ENTRY_DATA + wordsFor(keyLengthOf(meta)) + COUNTER_SECOND_VERSION
}

/** The entry version. */
export function versionOf(words: Int32Array, entry: number): number {
  const at = versionAt(entry, metaOf(words, entry))
  return (words[at + 1] & VERSION_HIGH_MASK) * 2 ** 32 + (words[at] >>> 0)
}

/** Returns the size of the entry at `entry`, by its header. */
export function sizeOf(words: Int32Array, entry: number): number {
  const meta = words[entry + ENTRY_META]
  return entryBytes(keyLengthOf(meta), valueLengthOf(words, entry), meta, labelCountOf(words, entry))
}

/** Returns whether the entry in `block` is for the key. Bytes that make no entry give false, never a fault. */
export function matches(region: Region, block: number, hash: number, meta: number, key: Int32Array): boolean {
  const words = region.words
  const entry = block * BLOCK_WORDS
  const count = wordsFor(keyLengthOf(meta))
  if (!region.contains(block, ENTRY_DATA + count)) return false
  if (words[entry + ENTRY_HASH] !== hash || (words[entry + ENTRY_META] & KEY_META_MASK) !== meta) return false
  const data = entry + ENTRY_DATA
  for (let i = 0; i < count; i++) if (words[data + i] !== key[i]) return false
  return true
}

/** Writes header and key, but neither version nor value nor expiry, into a block that only this thread knows. */
export function buildEntry(
  words: Int32Array,
  entry: number,
  hash: number,
  key: KeyBuffer,
  valueKind: number,
  valueLength: number,
  flags: number,
): void {
  words[entry + ENTRY_HASH] = hash
  const kinds = (key.kind << KEY_KIND_SHIFT) | (valueKind << VALUE_KIND_SHIFT)
  words[entry + ENTRY_META] = key.length | kinds | flags
  words[entry + ENTRY_VALUE_LENGTH] = valueLength
  words[entry + ENTRY_NODE] = 0
  const count = wordsFor(key.length)
  const data = entry + ENTRY_DATA
  for (let i = 0; i < count; i++) words[data + i] = key.words[i]
}

/** Copies `count` words from word `start` of `from` to word `at` of `to`. */
export function copyWords(from: Int32Array, start: number, to: Int32Array, at: number, count: number): void {
  if (count > SHORT_COPY_WORDS) to.set(from.subarray(start, start + count), at)
  else for (let i = 0; i < count; i++) to[at + i] = from[start + i]
}

/**
 * Returns whether a counter, if the entry is one, holds a number: the length of any other value would lead out of the
 * entry.
 */
export function isCounterSound(meta: number): boolean {
  return (meta & ENTRY_COUNTER) === 0 || valueKindOf(meta) === VALUE_NUMBER
}
