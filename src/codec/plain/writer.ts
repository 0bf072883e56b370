// The entry 'msgpackr' looks for a native helper; this one is JavaScript alone. It is bundled, so that no other user of
// msgpackr shares its extensions.
import * as untyped from 'msgpackr/pack'
import type * as msgpackr from 'msgpackr'
import { Buffer } from '../../platform/buffer.js'
import { KEPT_BYTES } from '../../base/kept.js'

// The package's types for this entry are missing.
const { Packr, REUSE_BUFFER_MODE, RESET_BUFFER_MODE } = untyped as unknown as typeof msgpackr

/**
 * - Uses no records, because these speed up lists of alike objects, but halve the speed of a single one.
 * - Uses maps of variable size, because the usual ones end at 65,535 properties.
 */
const packr = new Packr({ useRecords: false, variableMapSize: true })

const INITIAL_BYTES = 8192
const NO_BYTES = new Uint8Array(0)

/** The result of msgpackr: its whole buffer, and where the packed bytes lie in it. */
interface Packed extends Buffer {
  start: number
  end: number
}

/** Packs plain values as MessagePack. */
export class PlainWriter {
  /**
   * The buffer that holds the bytes, from {@link PlainWriter.start} to {@link PlainWriter.end}, until the next packing.
   */
  bytes: Uint8Array = NO_BYTES
  start = 0
  end = 0

  /** Packs `value`, which must be plain in the sense of `ValueWalk.plain`. O(size of the value). */
  write(value: object): void {
    // All users of msgpackr in this thread share the buffer. Resetting lets the next one overwrite these bytes.
    const packed = packr.pack(value, REUSE_BUFFER_MODE | RESET_BUFFER_MODE) as Packed
    this.bytes = packed
    this.start = packed.start
    this.end = packed.end
  }

  /** Lets go of the buffer if it has become large. */
  release(): void {
    if (this.bytes.length > KEPT_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(INITIAL_BYTES))
    this.bytes = NO_BYTES
  }
}
