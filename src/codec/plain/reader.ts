import { KEPT_BYTES } from '../../base/kept.js'
import { readAnyBigint } from '../bigint/codec.js'
import { indexOf, leaps, makeSparse } from '../elements.js'
import { guard } from '../guard.js'
import { MAX_NESTING } from '../limits.js'
import { MAX_SHORT, readLatin1, readName, readShort, type Slices } from '../strings.js'
import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'
import { define, isOutgrown, makerOf } from './makers.js'
import type { ShapeMirror } from './mirror.js'
import type { Parts } from './shape.js'
import * as tags from './tags.js'

const NOTHING = Buffer.alloc(0) as Buffer as Slices
/**
 * The greatest length of an array that is made with all its places at once, which V8 would not do for very long ones.
 */
const MAX_PLACES = 2 ** 20
const MAX_LENGTH = 2 ** 32 - 1

/**
 * Reads plain values.
 *
 * The bytes may be anything, since any process that can write a map's file can write them. The reader allocates nothing
 * by a claimed length alone: each element of an array and each value of an object takes a byte of its own, so that all
 * lengths together cannot exceed the number of bytes.
 */
export class PlainReader implements Parts {
  /** The dates in the value read last; undefined if it has none. */
  dates: Date[] | undefined
  /** Whether the value read last holds bytes, which cannot be frozen. */
  hasBytes = false
  private source: Uint8Array | undefined
  /** Whether the source belongs to a buffer that an engine may want to give back. */
  private isLarge = false
  /** The same memory as `source`. */
  private bytes = NOTHING
  private view: DataView = new DataView(NOTHING.buffer)
  private at = 0
  private end = 0
  /** Number of elements and members that the bytes have room for. */
  private room = 0
  private nesting = 0

  /** @param freeze whether objects are frozen, at every depth */
  constructor(
    private readonly freeze: boolean,
    private readonly shapes: ShapeMirror,
  ) {}

  /**
   * Reads the first `length` bytes. O(length).
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are not an object
   */
  read(source: Uint8Array, length: number): object {
    if (source !== this.source) this.use(source)
    this.at = 0
    this.end = length
    this.room = length
    this.nesting = 0
    this.dates = undefined
    this.hasBytes = false
    try {
      const value = this.value()
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

  /** Reads the next value. Called by the functions that make objects of a shape, too. */
  value(): unknown {
    const { at } = this
    if (at >= this.end) throw corruptValue()
    const tag = this.bytes[at]
    this.at = at + 1
    if (tag < tags.TAG_STRING) return tag
    if (tag < tags.TAG_ARRAY) return this.readString(tag & tags.MAX_TAG_STRING)
    if (tag >= tags.TAG_SHAPE) return this.readObject(tag)
    if (tag < tags.TAG_UNDEFINED) return this.readArray(tag & tags.MAX_TAG_ARRAY)
    return this.readOther(tag)
  }

  private readOther(tag: number): unknown {
    switch (tag) {
      case tags.TAG_UNDEFINED:
        return undefined
      case tags.TAG_NULL:
        return null
      case tags.TAG_FALSE:
        return false
      case tags.TAG_TRUE:
        return true
      case tags.TAG_INT8:
        return this.view.getInt8(this.skip(1))
      case tags.TAG_UINT16:
        return this.view.getUint16(this.skip(2), true)
      case tags.TAG_INT32:
        return this.view.getInt32(this.skip(4), true)
      case tags.TAG_UINT48: {
        const start = this.skip(6)
        return this.view.getUint16(start + 4, true) * 2 ** 32 + this.view.getUint32(start, true)
      }
      case tags.TAG_DOUBLE:
        return this.view.getFloat64(this.skip(8), true)
      case tags.TAG_LONG_STRING:
        return this.readString(this.readLength())
      case tags.TAG_WIDE_STRING:
        return this.readWide()
      case tags.TAG_LONG_ARRAY:
        return this.readArray(this.readLength())
      case tags.TAG_NAMED:
        return this.readNamed()
      case tags.TAG_DATE:
        return this.readDate()
      case tags.TAG_MAP:
        return this.readMap()
      case tags.TAG_SET:
        return this.readSet()
      case tags.TAG_BYTES:
        return this.readBytes()
      case tags.TAG_BIGINT:
        return this.readBigint()
      default:
        throw corruptValue()
    }
  }

  private readObject(tag: number): object {
    if (this.at >= this.end || ++this.nesting > MAX_NESTING + 1) throw corruptValue()
    const shape = this.shapes.find(((tag & 0x3f) << 8) | this.bytes[this.at++])
    const maker = shape.maker === undefined || isOutgrown(shape) ? makerOf(shape, this.freeze) : shape.maker
    const object = maker(this)
    this.nesting--
    return object
  }

  /** Reads an object with names of its own behind those of a shape. */
  private readNamed(): object {
    this.enter(0)
    const shape = this.shapes.find(this.view.getUint16(this.skip(2), true) & tags.MAX_SHAPE_ID)
    const object: Record<string, unknown> = {}
    for (const name of shape.names()) define(object, name, this.value())
    let indices = 0
    let isSparse = false
    for (let name = this.readPropertyName(); name !== undefined; name = this.readPropertyName()) {
      const index = indexOf(name)
      if (index >= 0 && !isSparse && leaps(index, indices++)) {
        makeSparse(object)
        isSparse = true
      }
      define(object, name, this.value())
    }
    this.nesting--
    return this.freeze ? Object.freeze(object) : object
  }

  /** Returns undefined at the end of an object. */
  private readPropertyName(): string | undefined {
    const tag = this.readByte()
    if (tag === tags.TAG_END) return undefined
    if (tag === tags.TAG_WIDE_STRING) return this.readWide()
    const isShort = tag >= tags.TAG_STRING && tag < tags.TAG_ARRAY
    if (!isShort && tag !== tags.TAG_LONG_STRING) throw corruptValue()
    const length = isShort ? tag & tags.MAX_TAG_STRING : this.readLength()
    if (length === 0) return ''
    const start = this.skip(length)
    return readName(this.bytes, start, length) ?? readLatin1(this.bytes, start, length)
  }

  private readArray(length: number): unknown[] {
    this.enter(length)
    const array = length <= MAX_PLACES ? new Array<unknown>(length) : []
    for (let i = 0; i < length; i++) array[i] = this.value()
    this.nesting--
    return (this.freeze ? Object.freeze(array) : array) as unknown[]
  }

  private readMap(): object {
    const size = this.readLength()
    this.enter(2 * size)
    const map = new Map<unknown, unknown>()
    for (let i = 0; i < size; i++) map.set(this.value(), this.value())
    this.nesting--
    return this.freeze ? guard(map) : map
  }

  private readSet(): object {
    const size = this.readLength()
    this.enter(size)
    const set = new Set<unknown>()
    for (let i = 0; i < size; i++) set.add(this.value())
    this.nesting--
    return this.freeze ? guard(set) : set
  }

  private readDate(): Date {
    const date = new Date(this.view.getFloat64(this.skip(8), true))
    if (!this.freeze) return date
    if (this.dates === undefined) this.dates = [date]
    else this.dates.push(date)
    return Object.freeze(date)
  }

  private readBytes(): Uint8Array {
    const length = this.readLength()
    const start = this.skip(length)
    this.hasBytes = true
    const bytes = new Uint8Array(length)
    if (length > 0) bytes.set(this.bytes.subarray(start, start + length))
    return bytes
  }

  private readBigint(): bigint {
    const length = this.readLength()
    return readAnyBigint(this.bytes, this.skip(length), length)
  }

  private readString(length: number): string {
    if (length > MAX_SHORT) return readLatin1(this.bytes, this.skip(length), length)
    return length === 0 ? '' : readShort(this.view, this.bytes, this.skip(length), length)
  }

  private readWide(): string {
    const bytes = 2 * this.readLength()
    const start = this.skip(bytes)
    return this.bytes.ucs2Slice(start, start + bytes)
  }

  /** Reads a length of up to 32 bits. */
  private readLength(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.readByte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > MAX_LENGTH) break
        return value
      }
    }
    throw corruptValue()
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

  /** Begins an object with `parts` elements or members. */
  private enter(parts: number): void {
    this.room -= parts
    if (this.room < 0 || ++this.nesting > MAX_NESTING + 1) throw corruptValue()
  }
}
