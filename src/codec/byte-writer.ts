import { bigintBytes, writeBigint } from './bigint.js'
import {
  BIGINT,
  FLOAT64,
  INT16,
  INT32,
  INT8,
  MAX_SMALL_STRING,
  MIN_NEGATIVE_INTEGER,
  POSITIVE_INTEGER,
  SMALL_STRING,
  STRING16,
  STRING32,
  STRING8,
  UINT16,
  UINT32,
  UINT8,
  WIDE_STRING,
} from './structure.js'

const INITIAL_BYTES = 4096
/** A buffer that grew beyond this is not kept for the next value. */
const MAX_KEPT_BYTES = 4 * 2 ** 20
/** Up to this length a loop copies a string faster than a call into `Buffer` does. */
const MAX_LOOP_UNITS = 48
const WIDE_UNIT = /[^\0-\xff]/

/** Appends tokens of primitive values to a buffer that grows. */
export class ByteWriter {
  /** The bytes written are the first {@link ByteWriter.length} ones. Replaced when the buffer grows. */
  bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES)
  length = 0
  protected view = viewOf(this.bytes)

  /** Forgets what was written. */
  protected rewind(): void {
    this.length = 0
    if (this.bytes.length > MAX_KEPT_BYTES) this.replace(INITIAL_BYTES)
  }

  /** Makes room for `count` more bytes and takes them. @returns where they begin */
  protected take(count: number): number {
    const at = this.length
    const end = at + count
    if (end > this.bytes.length) {
      const written = this.bytes
      this.replace(2 ** Math.ceil(Math.log2(end)))
      this.bytes.set(written.subarray(0, at))
    }
    this.length = end
    return at
  }

  protected writeToken(token: number): void {
    const at = this.take(1)
    this.bytes[at] = token
  }

  protected writeUint32(value: number): void {
    const at = this.take(4)
    this.view.setUint32(at, value, true)
  }

  /** A length in the smallest of three forms. */
  protected writeLength(length: number, token8: number, token16: number, token32: number): void {
    if (length <= 0xff) {
      const at = this.take(2)
      this.bytes[at] = token8
      this.bytes[at + 1] = length
    } else {
      this.writeCount(length, token16, token32)
    }
  }

  /** A count in the smaller of two forms. */
  protected writeCount(count: number, token16: number, token32: number): void {
    if (count <= 0xffff) {
      const at = this.take(3)
      this.bytes[at] = token16
      this.view.setUint16(at + 1, count, true)
    } else {
      const at = this.take(5)
      this.bytes[at] = token32
      this.view.setUint32(at + 1, count, true)
    }
  }

  protected writeNumber(value: number): void {
    const integer = value | 0
    if (integer !== value || (value === 0 && Object.is(value, -0))) {
      if (value > 0x7fffffff && value <= 0xffffffff && Number.isInteger(value)) this.writeUnsigned(value)
      else this.writeFloat(value)
    } else if (integer >= 0) {
      if (integer <= 0x7f) this.writeToken(POSITIVE_INTEGER | integer)
      else this.writeUnsigned(integer)
    } else {
      this.writeNegative(integer)
    }
  }

  private writeFloat(value: number): void {
    const at = this.take(9)
    this.bytes[at] = FLOAT64
    this.view.setFloat64(at + 1, value, true)
  }

  private writeUnsigned(value: number): void {
    this.writeLength(value, UINT8, UINT16, UINT32)
  }

  private writeNegative(value: number): void {
    if (value >= MIN_NEGATIVE_INTEGER) {
      this.writeToken(value & 0xff)
    } else if (value >= -0x80) {
      const at = this.take(2)
      this.bytes[at] = INT8
      this.view.setInt8(at + 1, value)
    } else if (value >= -0x8000) {
      const at = this.take(3)
      this.bytes[at] = INT16
      this.view.setInt16(at + 1, value, true)
    } else {
      const at = this.take(5)
      this.bytes[at] = INT32
      this.view.setInt32(at + 1, value, true)
    }
  }

  protected writeBigint(value: bigint): void {
    const bytes = bigintBytes(value)
    const at = this.take(5 + bytes)
    this.bytes[at] = BIGINT
    this.view.setUint32(at + 1, bytes, true)
    writeBigint(value, this.view, at + 5)
  }

  protected writeString(text: string): void {
    if (text.length <= MAX_LOOP_UNITS) this.writeShortString(text)
    else if (WIDE_UNIT.test(text)) this.writeWideString(text)
    else {
      this.writeLength(text.length, STRING8, STRING16, STRING32)
      const at = this.take(text.length)
      this.bytes.write(text, at, 'latin1')
    }
  }

  private writeShortString(text: string): void {
    const length = text.length
    const start = this.length
    if (length <= MAX_SMALL_STRING) this.writeToken(SMALL_STRING | length)
    else this.writeLength(length, STRING8, STRING16, STRING32)
    const at = this.take(length)
    const bytes = this.bytes
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0xff) {
        this.length = start
        this.writeWideString(text)
        return
      }
      bytes[at + i] = unit
    }
  }

  private writeWideString(text: string): void {
    const at = this.take(5 + text.length * 2)
    this.bytes[at] = WIDE_STRING
    this.view.setUint32(at + 1, text.length, true)
    this.bytes.write(text, at + 5, 'utf16le')
  }

  private replace(bytes: number): void {
    this.bytes = Buffer.allocUnsafeSlow(bytes)
    this.view = viewOf(this.bytes)
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
