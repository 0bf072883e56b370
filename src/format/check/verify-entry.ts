/** Checks of one entry, given by its block number. */
import {
  BLOCK_WORDS,
  ENTRY_COUNTER,
  ENTRY_DATA,
  ENTRY_EXPIRES,
  ENTRY_HASH,
  ENTRY_META,
  ENTRY_SECOND_CELL,
  ENTRY_STALE,
  FLAG_CACHE,
  HEADER_FLAGS,
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  KEY_BIGINT,
  KEY_BOOLEAN,
  KEY_NUMBER,
  KEY_UTF16,
} from '../layout.js'
import { isCanonicalBigint } from '../bigint.js'
import { isKeyLength, isValueLength } from '../kinds.js'
import {
  keyKindOf,
  labelsAt,
  keyLengthOf,
  KEY_META_MASK,
  sizeOf,
  valueKindOf,
  valueLengthOf,
  wordsFor,
  isCounterSound,
} from '../entry.js'
import { halfSipHash } from '../half-sip-hash.js'
import type { Region } from '../region.js'
import { expiryIn } from '../expiry.js'

const NAN_HIGH = 0x7ff80000
const NEGATIVE_ZERO_HIGH = 0x80000000 | 0

export function hashOf(region: Region, block: number): number {
  return region.words[block * BLOCK_WORDS + ENTRY_HASH]
}

/** Returns whether two entries that lie within the region have the same key. */
export function sameKey(words: Int32Array, a: number, b: number): boolean {
  const left = a * BLOCK_WORDS
  const right = b * BLOCK_WORDS
  const meta = words[left + ENTRY_META] & KEY_META_MASK
  if (meta !== (words[right + ENTRY_META] & KEY_META_MASK)) return false
  for (let i = 0; i < wordsFor(keyLengthOf(meta)); i++) {
    if (words[left + ENTRY_DATA + i] !== words[right + ENTRY_DATA + i]) return false
  }
  return true
}

/** Returns whether an entry of the size that the header in `block` gives can lie there. */
export function isInside(region: Region, block: number): boolean {
  return region.contains(block, ENTRY_DATA) && region.contains(block, sizeOf(region.words, block * BLOCK_WORDS) / 4)
}

/** Returns the problems of an entry that lies within the region, each as the end of a sentence about its block. */
export function problemsOfEntry(region: Region, block: number): string[] {
  const { words } = region
  const entry = block * BLOCK_WORDS
  const problems: string[] = []
  const meta = words[entry + ENTRY_META]
  const kind = keyKindOf(meta)
  const length = keyLengthOf(meta)
  const key = words.subarray(entry + ENTRY_DATA, entry + ENTRY_DATA + wordsFor(length))
  const isCounter = (meta & ENTRY_COUNTER) !== 0
  if (!isCounter && (meta & ENTRY_SECOND_CELL) !== 0) problems.push('has the second cell of a counter, but is none')
  if (!isCounterSound(meta)) problems.push('is a counter, but holds no number')
  if (!isPadded(key, length)) problems.push('has a key whose last word is not padded with zeros')
  if (!isKey(kind, key, length)) problems.push(`has a malformed key of kind ${kind} and ${length} bytes`)
  const valueKind = valueKindOf(meta)
  const valueLength = valueLengthOf(words, entry)
  if (!isValueLength(valueKind, valueLength))
    problems.push(`has a malformed value of kind ${valueKind} and ${valueLength} bytes`)
  const expires = (meta & ENTRY_EXPIRES) !== 0
  const valueEnd = labelsAt(words, entry)
  const value = words.subarray(entry + ENTRY_DATA + key.length, valueEnd)
  if (expires && (words[HEADER_FLAGS] & FLAG_CACHE) === 0) problems.push('expires, but this is no cache')
  const expiresAt = expires ? expiryIn(words, entry) : 1
  if (!(expiresAt > 0)) problems.push(`expires at ${expiresAt}`)
  if ((meta & ENTRY_STALE) !== 0 && !expires) problems.push('may be stale, but does not expire')
  if (!isCounter && !isPadded(value, valueLength)) problems.push('has a value whose last word is not padded with zeros')
  const hash = halfSipHash(words[HEADER_SECRET_0], words[HEADER_SECRET_1], key, key.length, length | (kind << 28))
  if (words[entry + ENTRY_HASH] !== hash) {
    problems.push(`has hash ${words[entry + ENTRY_HASH] >>> 0}, but its key hashes to ${hash >>> 0}`)
  }
  return problems
}

function isPadded(words: Int32Array, bytes: number): boolean {
  const used = bytes & 3
  return used === 0 || words[words.length - 1] >>> (used * 8) === 0
}

function isKey(kind: number, key: Int32Array, length: number): boolean {
  if (!isKeyLength(kind, length)) return false
  switch (kind) {
    case KEY_UTF16:
      return key.some((word) => (word & 0xff00ff00) !== 0)
    case KEY_NUMBER:
      return isCanonicalNumber(key[0], key[1])
    case KEY_BIGINT:
      return isCanonicalBigint(key)
    case KEY_BOOLEAN:
      return key[0] === 0 || key[0] === 1
    default:
      return true
  }
}

function isCanonicalNumber(low: number, high: number): boolean {
  if (low === 0 && high === NEGATIVE_ZERO_HIGH) return false
  const isNan = (high & 0x7ff00000) === 0x7ff00000 && ((high & 0xfffff) !== 0 || low !== 0)
  return !isNan || (low === 0 && high === NAN_HIGH)
}
