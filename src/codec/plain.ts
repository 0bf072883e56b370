// The entry 'msgpackr' looks for a native helper; this one is JavaScript alone. It is bundled, so that its extensions are
// nobody else's.
import * as untyped from 'msgpackr/pack'
import type * as msgpackr from 'msgpackr'
import { corruptValue } from './value-error.js'

// The types of this entry lead nowhere.
const { Packr, REUSE_BUFFER_MODE, RESET_BUFFER_MODE, Unpackr } = untyped as unknown as typeof msgpackr

/**
 * - Without records, because these speed up lists of alike objects, but halve the speed of a single one.
 * - With maps of variable size, because the usual ones end at 65,535 properties.
 * - Without structured clone, so that damaged bytes cannot make a cycle.
 * - With copies, so that damaged bytes cannot make a view of the buffer they are read from.
 */
const options = { useRecords: false, variableMapSize: true, structuredClone: false, copyBuffers: true } as const

const packr = new Packr(options)
const unpackr = new Unpackr(options)

const INITIAL_BYTES = 8192
const NO_BYTES = new Uint8Array(0)
const KEPT_BYTES = 2 ** 20

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

/** Unpacks plain values. */
export class PlainReader {
  private source: Uint8Array | undefined
  /** The same memory as `source`. Kept, because msgpackr attaches a view to the buffer it reads from. */
  private buffer: Buffer = Buffer.alloc(0)

  /**
   * Unpacks the first `length` bytes. O(length).
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are no MessagePack
   */
  read(source: Uint8Array, length: number): unknown {
    if (source !== this.source) {
      this.source = source
      this.buffer = Buffer.from(source.buffer, source.byteOffset, source.length)
    }
    try {
      return unpackr.unpack(this.buffer, length)
    } catch (error) {
      throw corruptValue(error)
    }
  }
}
