import { halfSipHash } from '../format/half-sip-hash.js'
import { wordsFor } from '../format/entry.js'
import { KeyBuffer, type Key } from '../format/key.js'
import { HEADER_SECRET_0, HEADER_SECRET_1, MAX_KEY_BYTES } from '../format/layout.js'

/** Words before the key's own bytes: four of the mark, and one of kind and form. */
const HEAD_WORDS = 5
/** Words of the hash that stands for a key too long to be marked; and the bit of its form. */
const HASH_WORDS = 4
const IS_HASHED = 0x100

const encoder = new KeyBuffer()

/**
 * Returns the key under which the lease of a forced load of `key` lies. The value stays under `key` meanwhile, so that
 * all others go on reading it. It begins with 128 bits that only the region's secret can tell, so that no user's key
 * equals it. Any key for a value that is no key, which the engine refuses before it comes to this one. O(length).
 */
export function forcedKey(words: Int32Array, key: Key): Uint8Array {
  encoder.encode(key)
  const { length, kind } = encoder
  const isHashed = length > MAX_KEY_BYTES - 4 * HEAD_WORDS
  const marked = new Uint8Array(4 * HEAD_WORDS + (isHashed ? 4 * HASH_WORDS : length))
  const hash = (of: Int32Array, count: number, number: number): number =>
    halfSipHash(words[HEADER_SECRET_0], words[HEADER_SECRET_1], of, count, number)
  const head = new Int32Array(marked.buffer, 0, HEAD_WORDS)
  for (let i = 0; i < 4; i++) head[i] = hash(MARK, MARK.length, i)
  head[4] = kind | (isHashed ? IS_HASHED : 0)
  if (isHashed) {
    const hashes = new Int32Array(marked.buffer, 4 * HEAD_WORDS, HASH_WORDS)
    for (let i = 0; i < HASH_WORDS; i++) hashes[i] = hash(encoder.words, wordsFor(length), length * HASH_WORDS + i)
  } else marked.set(encoder.bytes.subarray(0, length), 4 * HEAD_WORDS)
  return marked
}

const MARK = Int32Array.of(0x6d617073, 0x6166652e, 0x666f7263, 0x65642d6c, 0x6f6164)
