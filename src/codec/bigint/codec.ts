import { isValueLength } from '../../format/kinds.js'
import { VALUE_BIGINT } from '../../format/layout.js'
import { bigintBytes, readBigint, writeBigint } from './bigint.js'
import type { Codec, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'
import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'

/** Bigints: a sign word and the magnitude. */
class BigintCodec implements Codec {
  readonly immutable = true

  encode({ value }: Original, into: Encoded): boolean {
    if (typeof value !== 'bigint') return false
    const view = new DataView(new ArrayBuffer(bigintBytes(value)))
    writeBigint(value, view, 0)
    into.passBytes(VALUE_BIGINT, new Uint8Array(view.buffer), 0, view.byteLength)
    return true
  }

  decode(_: number, bytes: Uint8Array, length: number): bigint {
    if (!isValueLength(VALUE_BIGINT, length)) throw corruptValue()
    return readBigint(Buffer.from(bytes.buffer, bytes.byteOffset, length), 0, length)
  }
}

export const bigint: CodecRow = {
  kinds: [VALUE_BIGINT],
  types: ['bigint'],
  open: () => new BigintCodec(),
}
