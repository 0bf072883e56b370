import { readBigint } from './bigint.js'
import { PropertyNames, type PropertyName } from './property-names.js'
import {
  ARRAY16,
  ARRAY32,
  BIGINT,
  BUFFER,
  BUFFER_TYPES,
  BYTES16,
  BYTES32,
  BYTES8,
  DATE,
  ERROR,
  ERROR_NAMES,
  FALSE,
  FLOAT64,
  INT16,
  INT32,
  INT8,
  MAP,
  MAX_NESTING,
  NEGATIVE_INTEGER,
  NULL,
  OBJECT16,
  OBJECT32,
  REFERENCE,
  REGEXP,
  SET,
  SMALL_ARRAY,
  SMALL_OBJECT,
  SMALL_STRING,
  SPARSE_ARRAY,
  STRING16,
  STRING32,
  STRING8,
  TRUE,
  UINT16,
  UINT32,
  UINT8,
  UNDEFINED,
  WIDE_STRING,
  WRAPPER,
} from './structure.js'
import { corruptValue } from './value-error.js'

/**
 * Strings are cut out of a *window*: a piece of the structure that one call turned into a Latin-1 string. A substring of it costs a
 * fifth of that call. V8 lets a substring keep the string alive that it was cut from, which bounds the window.
 */
const WINDOW_BYTES = 512

const names = new PropertyNames()
const constructors = globalThis as unknown as Record<string, unknown>

/**
 * Reads structures back, and freezes their objects on the way if asked to.
 *
 * Every length is checked against the end before it is used: damaged bytes give an error or a wrong value, but nothing outside the
 * structure, no unbounded allocation and no changed prototype. Runs no user code.
 */
export class StructureReader {
  /** Whether nothing in the structure read last can be changed, by anyone, by any means. */
  immutable = false
  private readonly freeze: boolean
  private bytes: Buffer = Buffer.alloc(0)
  private view: DataView = new DataView(this.bytes.buffer)
  private at = 0
  private end = 0
  private nesting = 0
  /** The objects by number, or undefined while reading a structure without references. */
  private objects: object[] | undefined
  private window = ''
  private windowStart = 0
  private windowEnd = 0

  constructor(freeze: boolean) {
    this.freeze = freeze
  }

  /**
   * Reads the structure in the first `length` bytes. O(length).
   *
   * @param hasReferences whether it contains references
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if the bytes are no structure
   */
  read(bytes: Uint8Array, length: number, hasReferences: boolean): unknown {
    if (bytes.buffer !== this.bytes.buffer || bytes.byteOffset !== this.bytes.byteOffset) this.open(bytes)
    this.at = 0
    this.end = length
    this.nesting = 0
    this.objects = hasReferences ? [] : undefined
    this.windowEnd = 0
    this.immutable = this.freeze
    const value = this.readValue()
    if (this.at !== length) throw corruptValue()
    this.objects = undefined
    return value
  }

  private open(bytes: Uint8Array): void {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  private readValue(): unknown {
    const token = this.readByte()
    if (token < SMALL_OBJECT) return token
    if (token >= NEGATIVE_INTEGER) return token - 0x100
    if (token < SMALL_ARRAY) return this.readObject(token - SMALL_OBJECT)
    if (token < SMALL_STRING) return this.readArray(token - SMALL_ARRAY)
    if (token < NULL) return this.readLatin1(token - SMALL_STRING)
    return this.readOther(token)
  }

  private readOther(token: number): unknown {
    switch (token) {
      case NULL:
        return null
      case UNDEFINED:
        return undefined
      case FALSE:
        return false
      case TRUE:
        return true
      case FLOAT64:
        return this.view.getFloat64(this.take(8), true)
      case UINT8:
        return this.readByte()
      case UINT16:
        return this.readUint16()
      case UINT32:
        return this.readUint32()
      case INT8:
        return this.view.getInt8(this.take(1))
      case INT16:
        return this.view.getInt16(this.take(2), true)
      case INT32:
        return this.view.getInt32(this.take(4), true)
      case BIGINT:
        return this.readBigint()
      case STRING8:
        return this.readLatin1(this.readByte())
      case STRING16:
        return this.readLatin1(this.readUint16())
      case STRING32:
        return this.readLatin1(this.readUint32())
      case WIDE_STRING:
        return this.readWideString()
      case ARRAY16:
        return this.readArray(this.readUint16())
      case ARRAY32:
        return this.readArray(this.readUint32())
      case OBJECT16:
        return this.readObject(this.readUint16())
      case OBJECT32:
        return this.readObject(this.readUint32())
      default:
        return this.readSpecial(token)
    }
  }

  private readSpecial(token: number): unknown {
    switch (token) {
      case REFERENCE:
        return this.readReference()
      case BYTES8:
        return this.readBytes(this.readByte())
      case BYTES16:
        return this.readBytes(this.readUint16())
      case BYTES32:
        return this.readBytes(this.readUint32())
      case DATE:
        return this.mutable(new Date(this.view.getFloat64(this.take(8), true)))
      case MAP:
        return this.readMap()
      case SET:
        return this.readSet()
      case SPARSE_ARRAY:
        return this.readSparseArray()
      case BUFFER:
        return this.readBuffer()
      case ERROR:
        return this.readError()
      case REGEXP:
        return this.readRegExp()
      case WRAPPER:
        return this.readWrapper()
      default:
        throw corruptValue()
    }
  }

  private readObject(count: number): object {
    this.enter(count)
    const object: Record<string, unknown> = {}
    this.objects?.push(object)
    this.readProperties(object, count)
    return this.leave(object)
  }

  private readProperties(object: object, count: number): void {
    let previous: PropertyName | undefined
    for (let i = 0; i < count; i++) {
      const at = this.at
      const token = this.readByte()
      let name: PropertyName | undefined
      if (token >= SMALL_STRING && token < NULL) {
        const length = token - SMALL_STRING
        name = names.find(this.bytes, this.take(length), length, previous)
      }
      let text: string
      if (name === undefined) {
        this.at = at
        text = this.readString()
      } else {
        text = name.text
        previous = name
      }
      const value = this.readValue()
      if (text === '__proto__') defineProperty(object, text, value)
      else (object as Record<string, unknown>)[text] = value
    }
  }

  private readArray(count: number): unknown[] {
    this.enter(count)
    const array = new Array<unknown>(count)
    this.objects?.push(array)
    for (let i = 0; i < count; i++) array[i] = this.readValue()
    return this.leave(array)
  }

  private readSparseArray(): unknown[] {
    const length = this.readUint32()
    const count = this.readUint32()
    this.enter(count)
    const array: unknown[] = []
    this.objects?.push(array)
    this.readProperties(array, count)
    array.length = length
    return this.leave(array)
  }

  private readMap(): Map<unknown, unknown> {
    const count = this.readUint32()
    this.enter(count)
    const map = this.mutable(new Map<unknown, unknown>())
    for (let i = 0; i < count; i++) {
      const key = this.readValue()
      map.set(key, this.readValue())
    }
    this.nesting--
    return map
  }

  private readSet(): Set<unknown> {
    const count = this.readUint32()
    this.enter(count)
    const set = this.mutable(new Set<unknown>())
    for (let i = 0; i < count; i++) set.add(this.readValue())
    this.nesting--
    return set
  }

  private readError(): Error {
    const index = this.readByte()
    const message = this.readOptionalString()
    const stack = this.readOptionalString()
    const hasCause = this.readByte() === 1
    const error = newError(ERROR_NAMES.at(index) ?? '', message)
    this.objects?.push(error)
    this.enter(0)
    defineHidden(error, 'stack', stack)
    if (hasCause) defineHidden(error, 'cause', this.readValue())
    return this.leave(error)
  }

  private readRegExp(): RegExp {
    const source = this.readString()
    const flags = this.readString()
    try {
      // Not frozen: a search with the flag g or y stores its position into the object.
      return this.mutable(new RegExp(source, flags))
    } catch (error) {
      throw corruptValue(error)
    }
  }

  private readWrapper(): object {
    const primitive = this.readValue()
    if (primitive === null || primitive === undefined || typeof primitive === 'object') throw corruptValue()
    const wrapper = Object(primitive) as object
    this.objects?.push(wrapper)
    return this.freeze ? Object.freeze(wrapper) : wrapper
  }

  private readBytes(length: number): Uint8Array {
    const at = this.take(length)
    return this.mutable(new Uint8Array(this.bytes.subarray(at, at + length)))
  }

  private readBuffer(): object {
    const type = BUFFER_TYPES.at(this.readByte()) ?? ''
    const length = this.readUint32()
    const at = this.take(length)
    const { buffer } = new Uint8Array(this.bytes.subarray(at, at + length))
    if (type === 'ArrayBuffer') return this.mutable(buffer)
    const View = constructors[type] as (new (buffer: ArrayBuffer) => object) | undefined
    if (View === undefined) throw corruptValue(`this version of Node.js has no buffer type ${type}`)
    try {
      return this.mutable(new View(buffer))
    } catch (error) {
      throw corruptValue(error) // the length is no multiple of the element size
    }
  }

  private readReference(): object {
    const object = this.objects?.[this.readUint32()]
    if (object === undefined) throw corruptValue()
    return object
  }

  private readBigint(): bigint {
    const length = this.readUint32()
    const at = this.take(length)
    if (length < 4 || length % 4 !== 0) throw corruptValue()
    return readBigint(this.view, at, length)
  }

  private readString(): string {
    const text = this.readValue()
    if (typeof text !== 'string') throw corruptValue()
    return text
  }

  private readOptionalString(): string | undefined {
    const text = this.readValue()
    if (text !== undefined && typeof text !== 'string') throw corruptValue()
    return text
  }

  private readLatin1(length: number): string {
    const at = this.take(length)
    const end = this.at
    if (length > WINDOW_BYTES) return this.bytes.toString('latin1', at, end)
    if (end > this.windowEnd || at < this.windowStart) {
      this.windowStart = at
      this.windowEnd = Math.min(at + WINDOW_BYTES, this.end)
      this.window = this.bytes.toString('latin1', at, this.windowEnd)
    }
    return this.window.slice(at - this.windowStart, end - this.windowStart)
  }

  private readWideString(): string {
    const units = this.readUint32()
    const at = this.take(units * 2)
    return this.bytes.toString('utf16le', at, this.at)
  }

  private readByte(): number {
    return this.bytes[this.take(1)]
  }

  private readUint16(): number {
    return this.view.getUint16(this.take(2), true)
  }

  private readUint32(): number {
    return this.view.getUint32(this.take(4), true)
  }

  /** Passes over `count` bytes. @returns where they begin */
  private take(count: number): number {
    const at = this.at
    if (count > this.end - at) throw corruptValue()
    this.at = at + count
    return at
  }

  /** Begins an object with `count` members, each of which takes at least one byte. */
  private enter(count: number): void {
    if (count > this.end - this.at || ++this.nesting > MAX_NESTING + 1) throw corruptValue()
  }

  private leave<T extends object>(object: T): T {
    this.nesting--
    return this.freeze ? Object.freeze(object) : object
  }

  /** Notes an object that freezing would not make immutable. */
  private mutable<T extends object>(object: T): T {
    this.objects?.push(object)
    this.immutable = false
    return object
  }
}

function newError(name: string, message: string | undefined): Error {
  const constructor = constructors[name] as ErrorConstructor | undefined
  if (constructor === undefined) throw corruptValue()
  return new constructor(message)
}

/** Defines a property as those of errors are: not enumerable. */
function defineHidden(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true })
}

/** Defines a property that assignment would take for something else. */
function defineProperty(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
}
