/**
 * Entries: built once, published, never changed, but for counters (counter.ts) and leases (lease.ts). See
 * docs/internals/format.md, "Entry". An entry is given by the index of its first word, or by its block number where it says so.
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
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
  VALUE_NUMBER,
} from './layout.js'
import type { Region } from './region.js'

/** The expiry of what does not expire. */
export const NEVER = 0

/** The bits of ENTRY_META that tell key length and key kind. */
export const KEY_META_MASK = 2 ** VALUE_KIND_SHIFT - 1
const KEY_LENGTH_MASK = 2 ** KEY_LENGTH_BITS - 1
/** Below this a loop over words is faster than a call of `set`. */
const SHORT_COPY_WORDS = 128

/** Words that `bytes` bytes fill, for any unsigned 32-bit number of bytes. */
export function wordsFor(bytes: number): number {
  return (bytes >>> 2) + (((bytes & 3) + 3) >>> 2)
}

/** @param flags ENTRY_EXPIRES, ENTRY_STALE and ENTRY_COUNTER, of ENTRY_META */
export function entryBytes(keyLength: number, valueLength: number, flags: number): number {
  return ENTRY_HEADER_BYTES + (wordsFor(keyLength) + valueWords(valueLength, flags) + trailerWords(flags)) * 4
}

/** Words between key and trailer: of a value, or of both cells of a counter. */
export function valueWords(valueLength: number, flags: number): number {
  return (flags & ENTRY_COUNTER) === 0 ? wordsFor(valueLength) : COUNTER_WORDS
}

/**
 * Words after the value: until when it may be served though it expired, and when it expires; each only if its flag is
 * set.
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

/** The meta word. Of a counter atomic: pairs with the store that turns it, so that its cell is there. */
export function metaOf(words: Int32Array, entry: number): number {
  const meta = words[entry + ENTRY_META]
  return (meta & ENTRY_COUNTER) === 0 ? meta : Atomics.load(words, entry + ENTRY_META)
}

/** Whether the second of a counter's cells is the current one. */
export function isInSecondCell(meta: number): boolean {
  return (meta & ENTRY_COUNTER) !== 0 && (meta & ENTRY_SECOND_CELL) !== 0
}

/** The first word of the value. */
export function valueAt(entry: number, meta: number): number {
  const data = entry + ENTRY_DATA + wordsFor(keyLengthOf(meta))
  return isInSecondCell(meta) ? data + COUNTER_SECOND_VALUE : data
}

/** The first of the two words of the entry version. */
export function versionAt(entry: number, meta: number): number {
  if (!isInSecondCell(meta)) return entry + ENTRY_VERSION
  return entry + ENTRY_DATA + wordsFor(keyLengthOf(meta)) + COUNTER_SECOND_VERSION
}

/** The entry version. */
export function versionOf(words: Int32Array, entry: number): number {
  const at = versionAt(entry, metaOf(words, entry))
  return (words[at + 1] >>> 0) * 2 ** 32 + (words[at] >>> 0)
}

/** Size of the entry at `entry`, as its header tells. */
export function sizeOf(words: Int32Array, entry: number): number {
  const meta = words[entry + ENTRY_META]
  return entryBytes(keyLengthOf(meta), words[entry + ENTRY_VALUE_LENGTH] >>> 0, meta)
}

/** Whether the entry in `block` is for the key. False, never a fault, on bytes that make no entry. */
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

/** Whether a counter, if it is one, holds a number: the length of any other value would lead out of it. */
export function isCounterSound(meta: number): boolean {
  return (meta & ENTRY_COUNTER) === 0 || valueKindOf(meta) === VALUE_NUMBER
}
