import { KEPT_BYTES } from '../../base/kept.js'
import { indexOf, leaps, makeSparse } from '../elements.js'
import { MAX_NESTING } from '../limits.js'
import { readName, readUtf8, type Slices } from '../strings.js'
import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'

const NOTHING = Buffer.alloc(0) as Buffer as Slices
/**
 * The greatest length of an array that is made with all its places at once, which V8 would not do for very long ones.
 */
const MAX_PLACES = 2 ** 20

/**
 * Reads plain values from MessagePack.
 *
 * The bytes may be anything, since any process that can write a map's file can write them. Therefore no general decoder
 * reads them. The reader refuses everything that {@link PlainWriter} never writes, extension types above all, and
 * allocates nothing by a claimed length alone. Each element of an array and each part of a map takes a byte of its own,
 * so all lengths together cannot exceed the number of bytes.
 */
export class PlainReader {
  private source: Uint8Array | undefined
  /** Whether the source belongs to a buffer that an engine may want to give back. */
  private isLarge = false
  /** The same memory as `source`. */
  private bytes = NOTHING
  private view: DataView = new DataView(NOTHING.buffer)
  private at = 0
  private end = 0
  /** Number of elements, names and values that the bytes have room for. */
  private room = 0
  private nesting = 0

  /** @param freeze whether objects are frozen, at every depth */
  constructor(private readonly freeze: boolean) {}

  /**
   * Reads the first `length` bytes. O(length).
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are not a plain object or array
   */
  read(source: Uint8Array, length: number): object {
    if (source !== this.source) this.use(source)
    this.at = 0
    this.end = length
    this.room = length
    this.nesting = 0
    try {
      const value = this.readValue()
      if (this.at !== length || typeof value !== 'object' || value === null) throw corruptValue()
      return value
    } finally {
      if (this.isLarge) this.use(NOTHING)
    }
  }

  private use(source: Uint8Array): void {
    this.source = source
    this.isLarge = source.buffer.byteLength > KEPT_BYTES
    this.bytes = Buffer.from<ArrayBufferLike>(source.buffer, source.byteOffset, source.length) as Slices
    this.view = new DataView(source.buffer, source.byteOffset, source.length)
  }

  private readValue(): unknown {
    const tag = this.readByte()
    if (tag < 0x80) return tag
    if (tag < 0x90) return this.readMap(tag & 0x0f)
    if (tag < 0xa0) return this.readArray(tag & 0x0f)
    if (tag < 0xc0) return this.readString(tag & 0x1f)
    if (tag >= 0xe0) return tag - 0x100
    return this.readOther(tag)
  }

  private readOther(tag: number): unknown {
    switch (tag) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xcb:
        return this.view.getFloat64(this.skip(8))
      case 0xcc:
        return this.readByte()
      case 0xcd:
        return this.view.getUint16(this.skip(2))
      case 0xce:
        return this.view.getUint32(this.skip(4))
      case 0xd0:
        return this.view.getInt8(this.skip(1))
      case 0xd1:
        return this.view.getInt16(this.skip(2))
      case 0xd2:
        return this.view.getInt32(this.skip(4))
      case 0xd4:
        // The only extension allowed: msgpackr writes undefined so.
        if (this.view.getUint16(this.skip(2)) !== 0) throw corruptValue()
        return undefined
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.readString(this.readStringLength(tag))
      case 0xdc:
        return this.readArray(this.view.getUint16(this.skip(2)))
      case 0xdd:
        return this.readArray(this.view.getUint32(this.skip(4)))
      case 0xde:
        return this.readMap(this.view.getUint16(this.skip(2)))
      case 0xdf:
        return this.readMap(this.view.getUint32(this.skip(4)))
      default:
        throw corruptValue()
    }
  }

  private readMap(size: number): object {
    this.enter(2 * size)
    const object: Record<string, unknown> = {}
    let indices = 0
    let isSparse = false
    for (let i = 0; i < size; i++) {
      const name = this.readPropertyName()
      const index = indexOf(name)
      if (index >= 0 && !isSparse && leaps(index, indices++)) {
        makeSparse(object)
        isSparse = true
      }
      object[name] = this.readValue()
    }
    this.nesting--
    return this.freeze ? Object.freeze(object) : object
  }

  private readArray(length: number): unknown[] {
    this.enter(length)
    const array = length <= MAX_PLACES ? new Array<unknown>(length) : []
    for (let i = 0; i < length; i++) array[i] = this.readValue()
    this.nesting--
    return (this.freeze ? Object.freeze(array) : array) as unknown[]
  }

  private readPropertyName(): string {
    const tag = this.readByte()
    const isShort = tag >= 0xa0 && tag < 0xc0
    const length = isShort ? tag & 0x1f : this.readStringLength(tag)
    if (length === 0) return ''
    const start = this.skip(length)
    const name = readName(this.bytes, start, length) ?? readUtf8(this.bytes, start, length)
    // Assigning would change the prototype. An own `constructor` is not written either.
    if (name === '__proto__' || name === 'constructor') throw corruptValue()
    return name
  }

  private readStringLength(tag: number): number {
    switch (tag) {
      case 0xd9:
        return this.readByte()
      case 0xda:
        return this.view.getUint16(this.skip(2))
      case 0xdb:
        return this.view.getUint32(this.skip(4))
      default:
        throw corruptValue()
    }
  }

  private readString(length: number): string {
    return readUtf8(this.bytes, this.skip(length), length)
  }

  private readByte(): number {
    if (this.at >= this.end) throw corruptValue()
    return this.bytes[this.at++]
  }

  /** Skips `bytes` bytes, and returns where they begin. */
  private skip(bytes: number): number {
    const start = this.at
    if (bytes > this.end - start) throw corruptValue()
    this.at = start + bytes
    return start
  }

  /** Begins an object with `parts` elements, or names and values. */
  private enter(parts: number): void {
    this.room -= parts
    if (this.room < 0 || ++this.nesting > MAX_NESTING + 1) throw corruptValue()
  }
}
