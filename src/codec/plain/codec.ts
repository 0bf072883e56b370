import { VALUE_PLAIN } from '../../format/layout.js'
import type { Codec, CodecContext, CodecRow, Encoded } from '../codec.js'
import type { Original } from '../original.js'
import { ShapeMirror } from './mirror.js'
import { PlainReader } from './reader.js'
import { PlainWriter } from './writer.js'

/** Trees of plain data, whose property names are in the map's table of shapes. */
class PlainCodec implements Codec {
  private readonly shapes: ShapeMirror
  private readonly reader: PlainReader
  private readonly writer: PlainWriter

  constructor(private readonly context: CodecContext) {
    this.shapes = new ShapeMirror(() => context.shapes())
    this.reader = new PlainReader(context.freeze, this.shapes)
    this.writer = new PlainWriter(this.shapes)
  }

  get immutable(): boolean {
    return this.isFrozen && this.reader.dates === undefined
  }

  get dates(): readonly Date[] | undefined {
    return this.isFrozen ? this.reader.dates : undefined
  }

  private get isFrozen(): boolean {
    return this.context.freeze && !this.reader.hasBytes
  }

  encode(original: Original, into: Encoded): boolean {
    const writer = this.writer.busy ? new PlainWriter(this.shapes) : this.writer
    writer.busy = true
    try {
      if (writer.write(original.value as object)) {
        into.passBytes(VALUE_PLAIN, writer.bytes, 0, writer.at)
        return true
      }
      original.reads = writer.reads.byObject()
      return false
    } finally {
      writer.busy = false
      writer.reads.clear()
    }
  }

  decode(_: number, bytes: Uint8Array, length: number): object {
    return this.reader.read(bytes, length)
  }

  learn(): void {
    try {
      this.shapes.catchUp()
    } catch {
      // The table is damaged: the values that need the rest of it will say so.
    }
  }

  release(): void {
    if (!this.writer.busy) this.writer.release()
  }
}

export const plain: CodecRow = {
  kinds: [VALUE_PLAIN],
  types: ['object'],
  open: (context) => new PlainCodec(context),
}
