import { VALUE_CLONE } from '../../format/layout.js'
import type { Codec, CodecContext, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'
import { corruptValue } from '../value-error.js'
import { freezeClone } from './freeze.js'
import { CloneReader } from './reader.js'
import { writeClone } from './writer.js'

/** All objects that structured clone copies, in V8's format. */
class CloneCodec implements Codec {
  immutable = false
  private readonly reader = new CloneReader()
  private readonly freeze: boolean

  constructor({ freeze }: CodecContext) {
    this.freeze = freeze
  }

  encode(original: Original, into: Encoded): boolean {
    const bytes = writeClone(original.copy())
    into.passBytes(VALUE_CLONE, bytes, 0, bytes.length)
    return true
  }

  decode(_: number, bytes: Uint8Array, length: number): object {
    const value = this.reader.read(bytes, length)
    try {
      this.immutable = this.freeze && freezeClone(value)
    } catch (error) {
      // The stack can overflow: references may lead deeper than the objects are nested.
      throw corruptValue(error)
    }
    return value
  }
}

export const clone: CodecRow = {
  kinds: [VALUE_CLONE],
  types: ['object'],
  open: (context) => new CloneCodec(context),
}
