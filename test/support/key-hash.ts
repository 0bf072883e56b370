import { KeyBuffer, type Key } from '../../src/format/key.js'
import { halfSipHash } from '../../src/format/half-sip-hash.js'

/** The hash of a key in a region with the given secret. */
export function keyHash(secret0: number, secret1: number, key: Key): number {
  const buffer = new KeyBuffer()
  buffer.encode(key)
  const { words, length, kind } = buffer
  return halfSipHash(secret0, secret1, words, (length + 3) >> 2, length | (kind << 28))
}
