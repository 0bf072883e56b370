import { KEPT_BYTES } from '../../base/kept.js'
import { bufferLengthOf, bufferOf, bytesOf, isOutOfReach, isResizable, isUint8Array } from '../../base/views.js'
import { bigintBytes, bigintDigits, writeBigint } from '../../format/bigint.js'
import { isArgumentsObject, isSharedArrayBuffer, types } from '../../platform/brands.js'
import { Buffer } from '../../platform/buffer.js'
import { isDomException } from '../clone/dom-exception.js'
import { MAX_NESTING } from '../limits.js'
import { isOrdinary } from '../ordinary.js'
import { refusal, refusalOfEmpty } from '../refusal.js'
import type { ShapeMirror } from './mirror.js'
import { Reads } from './reads.js'
import type { Shape } from './shape.js'
import * as tags from './tags.js'

const INITIAL_BYTES = 8192
/** More than any part takes before its content. */
const HEAD_BYTES = 16
/** The greatest length for which writing a string in JavaScript is faster than a call out of it. */
const MAX_COPIED = 24
/** The indices of a short array, as names. */
const INDICES: readonly string[] = Array.from({ length: tags.MAX_TAG_ARRAY }, (_, index) => String(index))
const WIDE = /[^\0-\xff]/

/** Methods of `Buffer` that `write` calls, and that the types leave out. */
type Writes = Buffer &
  Readonly<Record<'latin1Write' | 'ucs2Write', (text: string, start: number, bytes: number) => number>>

const makeBytes = (length: number): Writes => Buffer.allocUnsafeSlow(length) as Buffer as Writes

/**
 * Writes a value in one pass, without copying it first. It gives up where the value is no tree of plain data: then
 * {@link PlainWriter.reads} has what was read so far.
 */
export class PlainWriter {
  /** Whether a value is being written, so that a getter in it needs another writer. */
  busy = false
  /** The bytes of the value written last, from the start up to {@link PlainWriter.at}. */
  bytes = makeBytes(INITIAL_BYTES)
  at = 0
  readonly reads = new Reads()
  private view = new DataView(this.bytes.buffer)
  private nesting = 0

  constructor(private readonly shapes: ShapeMirror) {}

  /** Writes a value; returns whether it could. O(size of the value). @throws any error of a getter */
  write(object: object): boolean {
    this.at = 0
    this.nesting = 0
    return this.writeObject(object)
  }

  /** Lets go of the buffer if it has become large. */
  release(): void {
    if (this.bytes.length > KEPT_BYTES) this.use(makeBytes(INITIAL_BYTES))
  }

  private writeValue(value: unknown): boolean {
    if (this.at + HEAD_BYTES > this.bytes.length) this.grow(HEAD_BYTES)
    switch (typeof value) {
      case 'string':
        this.writeString(value)
        return true
      case 'number':
        this.writeNumber(value)
        return true
      case 'object':
        if (value !== null) return this.writeObject(value)
        this.bytes[this.at++] = tags.TAG_NULL
        return true
      case 'boolean':
        this.bytes[this.at++] = value ? tags.TAG_TRUE : tags.TAG_FALSE
        return true
      case 'undefined':
        this.bytes[this.at++] = tags.TAG_UNDEFINED
        return true
      case 'bigint':
        this.writeBigint(value)
        return true
      default:
        return false
    }
  }

  private writeObject(object: object): boolean {
    const number = this.reads.begin(object)
    // This check comes before others, because any other look at a Proxy runs user code.
    if (number < 0 || this.nesting > MAX_NESTING || types.isProxy(object)) return false
    this.nesting++
    const isWritten = Array.isArray(object)
      ? this.writeArray(object, number)
      : Object.getPrototypeOf(object) === Object.prototype && isOrdinary(object)
        ? this.writeProperties(object as Record<string, unknown>, number)
        : this.writeSpecial(object, number)
    this.nesting--
    return isWritten
  }

  private writeProperties(object: Record<string, unknown>, number: number): boolean {
    const start = this.at
    this.at = start + 2
    let shape = this.shapes.root
    let isEmpty = true
    let others: string[] | undefined
    for (const name in object) {
      if (!hasOwnProperty.call(object, name)) continue
      isEmpty = false
      const value = object[name]
      this.reads.note(number, name, value)
      if (others === undefined) {
        const next = shape.lastName === name ? shape.lastChild : this.shapes.child(shape, name)
        if (next !== undefined) {
          shape = next
          if (!this.writeValue(value)) return false
          continue
        }
        others = []
        this.insert(start)
      }
      others.push(name)
      if (this.at + HEAD_BYTES > this.bytes.length) this.grow(HEAD_BYTES)
      this.writeString(name)
      if (!this.writeValue(value)) return false
    }
    this.reads.finish(number)
    if (others !== undefined) this.endNamed(start, shape, others)
    else if (isEmpty && refusalOfEmpty(object) !== undefined) return false
    else {
      this.bytes[start] = tags.TAG_SHAPE | (shape.id >>> 8)
      this.bytes[start + 1] = shape.id & 0xff
    }
    return true
  }

  /** Makes room for one byte more before an object that began at `start`: it has names of its own. */
  private insert(start: number): void {
    if (this.at + HEAD_BYTES > this.bytes.length) this.grow(HEAD_BYTES)
    this.bytes.copyWithin(start + 3, start + 2, this.at)
    this.at++
  }

  private endNamed(start: number, shape: Shape, others: readonly string[]): void {
    if (this.at + HEAD_BYTES > this.bytes.length) this.grow(HEAD_BYTES)
    this.bytes[this.at++] = tags.TAG_END
    this.bytes[start] = tags.TAG_NAMED
    this.view.setUint16(start + 1, shape.id, true)
    this.shapes.learn(shape, others)
  }

  private writeArray(array: readonly unknown[], number: number): boolean {
    const { length } = array
    if (length > tags.MAX_TAG_ARRAY) return this.writeLongArray(array, number)
    // Indices come first and in order, so the array has no holes if its `length`-th key is the last index.
    const keys = Object.keys(array)
    if (keys.length !== length || (length > 0 && keys[length - 1] !== INDICES[length - 1])) return false
    this.bytes[this.at++] = tags.TAG_ARRAY | length
    for (let i = 0; i < length; i++) {
      const value = array[i]
      this.reads.note(number, i, value)
      if (!this.writeValue(value)) return false
    }
    this.reads.finish(number)
    return true
  }

  /** Writes an array whose indices are many strings. Reads all elements at once, which takes less time than their names do. */
  private writeLongArray(array: readonly unknown[], number: number): boolean {
    const { length } = array
    const values: readonly unknown[] = Object.values(array)
    this.reads.noteElements(number, values)
    if (values.length !== length || hasHoles(array, length)) return false
    this.writeLength(tags.TAG_LONG_ARRAY, length)
    for (let i = 0; i < length; i++) if (!this.writeValue(values[i])) return false
    return true
  }

  /** Writes an object with a prototype other than Object.prototype, or with data inside. */
  private writeSpecial(object: object, number: number): boolean {
    if (types.isDate(object)) {
      this.bytes[this.at++] = tags.TAG_DATE
      this.view.setFloat64(this.at, getTime.call(object), true)
      this.at += 8
      return true
    }
    if (types.isMap(object)) return this.writeMap(object)
    if (types.isSet(object)) return this.writeSet(object)
    if (ArrayBuffer.isView(object)) return this.writeBytes(object)
    if (keepsData(object) || refusal(object) !== undefined) return false
    return this.writeProperties(object as Record<string, unknown>, number)
  }

  private writeMap(map: ReadonlyMap<unknown, unknown>): boolean {
    // Takes all entries first, as structured clone does: a getter in one may change the map.
    const parts: unknown[] = []
    forEachEntry.call(map, (value, key) => parts.push(key, value))
    this.writeLength(tags.TAG_MAP, parts.length / 2)
    for (const part of parts) if (!this.writeValue(part)) return false
    return true
  }

  private writeSet(set: ReadonlySet<unknown>): boolean {
    const members: unknown[] = []
    forEachMember.call(set, (member) => members.push(member))
    this.writeLength(tags.TAG_SET, members.length)
    for (const member of members) if (!this.writeValue(member)) return false
    return true
  }

  private writeBytes(view: ArrayBufferView): boolean {
    if (!isUint8Array(view) || isOutOfReach(view)) return false
    const buffer = bufferOf(view)
    if (isSharedArrayBuffer(buffer)) return false
    const bytes = bytesOf(view)
    // A view of a whole buffer shares it with other such views in the value, and with the buffer itself.
    const isWhole = bytes.length === bufferLengthOf(buffer) && !isResizable(buffer)
    if (isWhole && this.reads.begin(buffer) < 0) return false
    this.writeLength(tags.TAG_BYTES, bytes.length)
    if (this.at + bytes.length > this.bytes.length) this.grow(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
    return true
  }

  private writeBigint(value: bigint): void {
    const digits = bigintDigits(value)
    const words = new Int32Array(bigintBytes(digits) / 4)
    writeBigint(digits, words)
    this.writeLength(tags.TAG_BIGINT, words.byteLength)
    if (this.at + words.byteLength > this.bytes.length) this.grow(words.byteLength)
    this.bytes.set(new Uint8Array(words.buffer), this.at)
    this.at += words.byteLength
  }

  private writeNumber(value: number): void {
    const { bytes, at } = this
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0 && value < tags.TAG_STRING) {
        bytes[at] = value
        this.at = at + 1
      } else if (value >= -128 && value < 128) {
        bytes[at] = tags.TAG_INT8
        bytes[at + 1] = value
        this.at = at + 2
      } else if (value >= 0 && value < 65_536) {
        bytes[at] = tags.TAG_UINT16
        this.view.setUint16(at + 1, value, true)
        this.at = at + 3
      } else {
        bytes[at] = tags.TAG_INT32
        this.view.setInt32(at + 1, value, true)
        this.at = at + 5
      }
    } else if (value > 0 && value < 2 ** 48 && Math.floor(value) === value) {
      bytes[at] = tags.TAG_UINT48
      const low = value >>> 0
      this.view.setUint32(at + 1, low, true)
      this.view.setUint16(at + 5, (value - low) / 2 ** 32, true)
      this.at = at + 7
    } else {
      bytes[at] = tags.TAG_DOUBLE
      this.view.setFloat64(at + 1, value, true)
      this.at = at + 9
    }
  }

  private writeString(text: string): void {
    const { length } = text
    if (length > MAX_COPIED) {
      this.writeLongString(text)
      return
    }
    if (this.at + HEAD_BYTES + length > this.bytes.length) this.grow(HEAD_BYTES + length)
    const { bytes } = this
    const start = this.at + 1
    let seen = 0
    for (let i = 0; i < length; i++) seen |= bytes[start + i] = text.charCodeAt(i)
    if (seen > 0xff) {
      this.writeWide(text)
      return
    }
    bytes[start - 1] = tags.TAG_STRING | length
    this.at = start + length
  }

  private writeLongString(text: string): void {
    const { length } = text
    if (WIDE.test(text)) {
      this.writeWide(text)
      return
    }
    if (this.at + HEAD_BYTES + length > this.bytes.length) this.grow(HEAD_BYTES + length)
    if (length <= tags.MAX_TAG_STRING) this.bytes[this.at++] = tags.TAG_STRING | length
    else this.writeLength(tags.TAG_LONG_STRING, length)
    this.at += this.bytes.latin1Write(text, this.at, length)
  }

  private writeWide(text: string): void {
    const bytes = 2 * text.length
    if (this.at + HEAD_BYTES + bytes > this.bytes.length) this.grow(HEAD_BYTES + bytes)
    this.writeLength(tags.TAG_WIDE_STRING, text.length)
    this.at += this.bytes.ucs2Write(text, this.at, bytes)
  }

  private writeLength(tag: number, length: number): void {
    const { bytes } = this
    bytes[this.at++] = tag
    let rest = length
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[this.at++] = (rest % 0x80) | 0x80
    bytes[this.at++] = rest
  }

  private grow(bytes: number): void {
    const larger = makeBytes(2 * Math.max(this.bytes.length, this.at + bytes))
    larger.set(this.bytes.subarray(0, this.at))
    this.use(larger)
  }

  private use(bytes: Writes): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}

/** Returns whether an array that has as many enumerable properties as places lacks one, and has a name instead. */
function hasHoles(array: readonly unknown[], length: number): boolean {
  for (let i = 0; i < length; i++) if (!(i in array)) return true
  return false
}

/** Returns whether an object of another prototype has data besides its properties. */
function keepsData(object: object): boolean {
  return (
    types.isRegExp(object) ||
    types.isAnyArrayBuffer(object) ||
    types.isNativeError(object) ||
    types.isBoxedPrimitive(object) ||
    isArgumentsObject(object) ||
    isDomException(object)
  )
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { hasOwnProperty } = Object.prototype
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { getTime } = Date.prototype
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const [forEachEntry, forEachMember] = [Map.prototype.forEach, Set.prototype.forEach]
