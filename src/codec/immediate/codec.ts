import {
  VALUE_FALSE,
  VALUE_LATIN1,
  VALUE_NULL,
  VALUE_NUMBER,
  VALUE_TRUE,
  VALUE_UNDEFINED,
  VALUE_UTF16,
} from '../../format/layout.js'
import type { Codec, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'
import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'

/** Strings, numbers and constants. Engines write and read them in entries; only copies of entries are decoded here. */
class ImmediateCodec implements Codec {
  readonly immutable = true

  encode({ value }: Original, into: Encoded): boolean {
    switch (typeof value) {
      case 'string':
        // The engine finds out whether the string takes one byte a unit or two.
        into.pass(VALUE_LATIN1, value)
        return true
      case 'number':
        into.pass(VALUE_NUMBER, value)
        return true
      case 'boolean':
        into.pass(value ? VALUE_TRUE : VALUE_FALSE, value)
        return true
      case 'undefined':
        into.pass(VALUE_UNDEFINED, value)
        return true
      default:
        if (value !== null) return false
        into.pass(VALUE_NULL, value)
        return true
    }
  }

  decode(kind: number, source: Uint8Array, length: number): unknown {
    const bytes = Buffer.from(source.buffer, source.byteOffset, length)
    switch (kind) {
      case VALUE_UNDEFINED:
        return undefined
      case VALUE_NULL:
        return null
      case VALUE_FALSE:
        return false
      case VALUE_TRUE:
        return true
      case VALUE_NUMBER:
        return bytes.readDoubleLE(0)
      case VALUE_LATIN1:
        return bytes.toString('latin1')
      case VALUE_UTF16:
        return bytes.toString('utf16le')
      default:
        throw corruptValue()
    }
  }
}

export const immediate: CodecRow = {
  kinds: [VALUE_UNDEFINED, VALUE_NULL, VALUE_FALSE, VALUE_TRUE, VALUE_NUMBER, VALUE_LATIN1, VALUE_UTF16],
  types: ['undefined', 'boolean', 'number', 'string', 'object'],
  open: () => new ImmediateCodec(),
}
