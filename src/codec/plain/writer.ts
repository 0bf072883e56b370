// The entry 'msgpackr' looks for a native helper; this one is JavaScript alone. It is bundled, so that its extensions are
// nobody else's.
import * as untyped from 'msgpackr/pack'
import type * as msgpackr from 'msgpackr'
import { Buffer } from '../../platform/buffer.js'
import { KEPT_BYTES } from '../../base/kept.js'

// The types of this entry lead nowhere.
const { Packr, REUSE_BUFFER_MODE, RESET_BUFFER_MODE } = untyped as unknown as typeof msgpackr

/**
 * - Without records, because these speed up lists of alike objects, but halve the speed of a single one.
 * - With maps of variable size, because the usual ones end at 65,535 properties.
 */
const packr = new Packr({ useRecords: false, variableMapSize: true })

const INITIAL_BYTES = 8192
const NO_BYTES = new Uint8Array(0)

/** Where msgpackr left what it packed: it returns its whole buffer. */
interface Packed extends Buffer {
  start: number
  end: number
}

/** Packs plain values as MessagePack. */
export class PlainWriter {
  /**
   * The buffer that holds the bytes, from {@link PlainWriter.start} to {@link PlainWriter.end}, until anyone packs
   * again.
   */
  bytes: Uint8Array = NO_BYTES
  start = 0
  end = 0

  /** Packs `value`, which must be plain as `ValueWalk.plain` has it. O(size of the value). */
  write(value: object): void {
    // The buffer belongs to all users of msgpackr in this thread. Resetting lets the next one write over these bytes.
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
