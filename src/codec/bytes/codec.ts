import { bufferOf, bytesOf, isOutOfReach, isUint8Array } from '../../base/views.js'
import { VALUE_BYTES } from '../../format/layout.js'
import { isSharedArrayBuffer } from '../../platform/brands.js'
import type { Codec, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'

/** A `Uint8Array` that is the whole value: its bytes as they are. */
class BytesCodec implements Codec {
  readonly immutable = false

  encode({ value }: Original, into: Encoded): boolean {
    // Values that the walk refuses are left to it.
    if (!isUint8Array(value) || isSharedArrayBuffer(bufferOf(value)) || isOutOfReach(value)) return false
    const shown = bytesOf(value)
    into.passBytes(VALUE_BYTES, shown, 0, shown.length)
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
