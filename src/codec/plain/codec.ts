import { VALUE_PLAIN } from '../../format/layout.js'
import type { Codec, CodecContext, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'
import { PlainReader } from './reader.js'
import { PlainWriter } from './writer.js'

/** Plain objects and dense arrays, in MessagePack. */
class PlainCodec implements Codec {
  readonly immutable: boolean
  private readonly reader: PlainReader
  private readonly writer = new PlainWriter()

  constructor({ freeze }: CodecContext) {
    this.immutable = freeze
    this.reader = new PlainReader(freeze)
  }

  encode(original: Original, into: Encoded): boolean {
    const copy = original.copy()
    if (!original.isPlain) return false
    const { writer } = this
    writer.write(copy)
    into.passBytes(VALUE_PLAIN, writer.bytes, writer.start, writer.end - writer.start)
    return true
  }

  decode(_: number, bytes: Uint8Array, length: number): object {
    return this.reader.read(bytes, length)
  }

  release(): void {
    this.writer.release()
  }
}

export const plain: CodecRow = {
  kinds: [VALUE_PLAIN],
  types: ['object'],
  open: (context) => new PlainCodec(context),
}
