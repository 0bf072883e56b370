import { bigintBytes, bigintDigits, MAX_MAGNITUDE_BYTES, readBigint, writeBigint } from '../../format/bigint.js'
import { isValueLength } from '../../format/kinds.js'
import { VALUE_BIGINT } from '../../format/layout.js'
import type { Codec, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'
import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'

/** Bigints, in the form that keys have, too. */
class BigintCodec implements Codec {
  readonly immutable = true

  encode({ value }: Original, into: Encoded): boolean {
    if (typeof value !== 'bigint') return false
    const digits = bigintDigits(value)
    const words = new Int32Array(bigintBytes(digits) / 4)
    writeBigint(digits, words)
    into.passBytes(VALUE_BIGINT, new Uint8Array(words.buffer), 0, words.byteLength)
    return true
  }

  decode(_: number, bytes: Uint8Array, length: number): bigint {
    return readAnyBigint(Buffer.from(bytes.buffer, bytes.byteOffset, length), 0, length)
  }
}

/**
 * Reads a bigint of any `length` bytes at byte `start`.
 *
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if none has such a length
 */
export function readAnyBigint(bytes: Buffer, start: number, length: number): bigint {
  if (!isValueLength(VALUE_BIGINT, length) || length - 4 > MAX_MAGNITUDE_BYTES) throw corruptValue()
  return readBigint(bytes, start, length)
}

export const bigint: CodecRow = {
  kinds: [VALUE_BIGINT],
  types: ['bigint'],
  open: () => new BigintCodec(),
}
