import { VALUE_BYTES } from '../../format/layout.js'
import { isSharedArrayBuffer, isUint8Array } from '../../platform/brands.js'
import type { Codec, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'

/** A `Uint8Array` that is the whole value: its bytes as they are. */
class BytesCodec implements Codec {
  readonly immutable = false

  encode({ value }: Original, into: Encoded): boolean {
    if (!isUint8Array(value) || isSharedArrayBuffer(value.buffer)) return false
    into.passBytes(VALUE_BYTES, value, 0, value.length)
    return true
  }

  decode(_: number, bytes: Uint8Array, length: number): Uint8Array {
    return new Uint8Array(bytes.subarray(0, length))
  }
}

export const bytes: CodecRow = {
  kinds: [VALUE_BYTES],
  types: ['object'],
  open: () => new BytesCodec(),
}
