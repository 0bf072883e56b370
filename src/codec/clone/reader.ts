import { MAX_MAGNITUDE_BYTES, readMagnitude } from '../../format/bigint.js'
import { readView } from './views.js'
import { DOM_EXCEPTION, DOM_EXCEPTION_WITH_CAUSE, makeDomException } from './dom-exception.js'
import { indexOf, leaps, makeSparse } from '../elements.js'
import { isPatternAllowed, MAX_NESTING } from '../limits.js'
import { readLatin1, readName, type Slices } from '../strings.js'
import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'

/** The bytes before a value: a tag, and the version of V8's format that Node.js 20 to 26 write. */
const HEADER = [0xff, 15]
const NOTHING = Buffer.alloc(0) as Buffer as Slices
const NO_VIEW: DataView = new DataView(NOTHING.buffer)
const MAX_LENGTH = 2 ** 32 - 1
/** Flags of regular expressions by their bits in V8's format. Bit 6 is V8's own `l`. */
const PATTERN_FLAGS = ['g', 'i', 'm', 'y', 'u', 's', undefined, 'd', 'v']
const ERRORS: Readonly<Record<string, ErrorConstructor>> = {
  ...{ E: EvalError, R: RangeError, F: ReferenceError, S: SyntaxError, T: TypeError, U: URIError },
}

/**
 * Reads values from V8's serialization format.
 *
 * V8's own deserializer allocates as much as a length claims, so that 7 bytes can take 256 MiB, and any process that
 * can write a map's file can write such bytes. This reader allocates in proportion to the bytes it reads. It refuses
 * everything that V8's serializer does not write for a result of the walk (src/codec/walk.ts), and so never misreads a
 * tag of a later version of V8. The format: v8/src/objects/value-serializer.cc.
 */
export class CloneReader {
  private bytes = NOTHING
  private view = NO_VIEW
  private at = 0
  private end = 0
  private nesting = 0
  /** Objects in the order of their first bytes: references are indices into it. */
  private objects: object[] = []

  /**
   * Reads the first `length` bytes of `source`. O(length).
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are not an object in that format
   */
  read(source: Uint8Array, length: number): object {
    this.bytes = Buffer.from<ArrayBufferLike>(source.buffer, source.byteOffset, length) as Slices
    this.view = new DataView(source.buffer, source.byteOffset, length)
    this.at = 0
    this.end = length
    this.nesting = 0
    try {
      for (const byte of HEADER) if (this.readByte() !== byte) throw corruptValue()
      const value = this.readValue()
      if (this.at !== length || typeof value !== 'object' || value === null) throw corruptValue()
      return value
    } finally {
      // The bytes belong to an engine, which may want to give them back.
      this.bytes = NOTHING
      this.view = NO_VIEW
      this.objects = []
    }
  }

  private readValue(): unknown {
    const tag = this.readTag()
    switch (tag) {
      case '_':
        return undefined
      case '0':
        return null
      case 'T':
        return true
      case 'F':
        return false
      case 'I':
      case 'U':
      case 'N':
        return this.readNumber(tag)
      case 'Z':
        return this.readBigint()
      case '"':
      case 'c':
        return this.readString(tag)
      default:
        return this.readObject(tag)
    }
  }

  private readObject(tag: string): object {
    const object = tag === '^' ? this.readReference() : this.readNewObject(tag)
    // A view comes after its buffer.
    if (!(object instanceof ArrayBuffer) || this.peek() !== 'V') return object
    this.at++
    return this.add(readView(object, () => this.readUint32()))
  }

  private readReference(): object {
    const id = this.readUint32()
    if (id >= this.objects.length) throw corruptValue()
    return this.objects[id]
  }

  private readNewObject(tag: string): object {
    switch (tag) {
      case 'o':
      case 'a':
      case 'A':
      case ';':
      case "'":
      case 'r':
      case '\\': {
        if (++this.nesting > MAX_NESTING + 1) throw corruptValue()
        const object = this.readContainer(tag)
        this.nesting--
        return object
      }
      case 'D':
        return this.add(new Date(this.readDouble()))
      case 'y':
        return this.add(new Boolean(true))
      case 'x':
        return this.add(new Boolean(false))
      case 'n':
        return this.add(new Number(this.readDouble()))
      case 'z':
        return this.add(Object(this.readBigint()) as object)
      case 's':
        return this.add(new String(this.readString(this.readTag())))
      case 'R':
        return this.add(this.readPattern())
      case 'B':
        return this.add(this.readBuffer())
      default:
        throw corruptValue()
    }
  }

  private readContainer(tag: string): object {
    switch (tag) {
      case 'o':
        return this.readProperties(this.add({}), '{', MAX_LENGTH)
      case 'a':
        return this.readSparseArray()
      case 'A':
        return this.readDenseArray()
      case ';':
        return this.readMap()
      case "'":
        return this.readSet()
      case '\\':
        return this.readDomException()
      default:
        return this.readError()
    }
  }

  /**
   * Reads names and values up to the tag `last`, and after it their number.
   *
   * @param limit one more than the greatest index allowed
   */
  private readProperties<T extends object>(object: T, last: string, limit: number): T {
    let count = 0
    let indices = 0
    let isSparse = false
    for (; this.peek() !== last; count++) {
      const name = this.readPropertyName(last)
      const value = this.readValue()
      if (typeof name === 'number') {
        if (name >= limit) throw corruptValue()
        if (!isSparse && leaps(name, indices++)) {
          makeSparse(object as Record<number, unknown>)
          isSparse = true
        }
        ;(object as Record<number, unknown>)[name] = value
      } else if (name === '__proto__') {
        // Assigning would change the prototype.
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true })
      } else {
        ;(object as Record<string, unknown>)[name] = value
      }
    }
    this.at++
    if (this.readUint32() !== count) throw corruptValue()
    return object
  }

  /** Reads a name, or an index as a number. @param last the tag that ends the object's properties */
  private readPropertyName(last: string): string | number {
    const tag = this.readTag()
    if (tag === '"' || tag === 'c') {
      const name = this.readString(tag, true)
      // An index is written as a number, and the length of an array at its end.
      if (indexOf(name) >= 0 || (name === 'length' && last !== '{')) throw corruptValue()
      return name
    }
    if (tag !== 'I' && tag !== 'U' && tag !== 'N') throw corruptValue()
    const index = this.readNumber(tag)
    if (!(index >= 0 && Number.isInteger(index))) throw corruptValue()
    return index
  }

  private readDenseArray(): unknown[] {
    const length = this.readUint32()
    if (length > this.end - this.at) throw corruptValue()
    const array = this.add<unknown[]>([])
    // Elements are pushed, since the claimed lengths of arrays within arrays might add up to more than the bytes hold.
    for (let i = 0; i < length; i++) array.push(this.readValue())
    this.readProperties(array, '$', 0)
    if (this.readUint32() !== length || array.length !== length) throw corruptValue()
    return array
  }

  private readSparseArray(): unknown[] {
    const length = this.readUint32()
    const array = this.readProperties(this.add<unknown[]>([]), '@', length)
    if (this.readUint32() !== length) throw corruptValue()
    // V8 allocates places also for a length that is set.
    if (array.length < length && leaps(length, array.length)) makeSparse(array)
    array.length = length
    return array
  }

  private readMap(): Map<unknown, unknown> {
    const map = this.add(new Map<unknown, unknown>())
    let count = 0
    for (; this.peek() !== ':'; count += 2) map.set(this.readValue(), this.readValue())
    this.at++
    if (this.readUint32() !== count) throw corruptValue()
    return map
  }

  private readSet(): Set<unknown> {
    const set = this.add(new Set<unknown>())
    let count = 0
    for (; this.peek() !== ','; count++) set.add(this.readValue())
    this.at++
    if (this.readUint32() !== count) throw corruptValue()
    return set
  }

  private readError(): Error {
    let tag = this.readTag()
    const Kind = Object.hasOwn(ERRORS, tag) ? ERRORS[tag] : Error
    if (Kind !== Error) tag = this.readTag()
    let message: string | undefined
    if (tag === 'm') {
      message = this.readString(this.readTag())
      tag = this.readTag()
    }
    const error = this.add(withoutStack(() => (message === undefined ? new Kind() : new Kind(message))))
    let stack: string | undefined
    // Versions of V8 differ in the order of these parts.
    for (; tag !== '.'; tag = this.readTag()) {
      if (tag === 's' && stack === undefined) {
        stack = this.readString(this.readTag())
      } else if (tag === 'c' && !Object.hasOwn(error, 'cause')) {
        Object.defineProperty(error, 'cause', { value: this.readValue(), writable: true, configurable: true })
      } else {
        throw corruptValue()
      }
    }
    setStack(error, stack)
    return error
  }

  /**
   * Reads a DOMException: V8 lets its user write native objects, and src/codec/clone/writer.ts writes this kind alone.
   */
  private readDomException(): DOMException {
    const form = this.readUint32()
    if (form !== DOM_EXCEPTION && form !== DOM_EXCEPTION_WITH_CAUSE) throw corruptValue()
    const name = this.readString(this.readTag())
    const message = this.readString(this.readTag())
    const stack = this.peek() === '_' ? this.readValue() : this.readString(this.readTag())
    const exception = this.add(withoutStack(() => makeDomException(name, message)))
    if (form === DOM_EXCEPTION_WITH_CAUSE) {
      Object.defineProperty(exception, 'cause', { value: this.readValue(), writable: true, configurable: true })
    }
    setStack(exception, stack as string | undefined)
    return exception
  }

  private readPattern(): RegExp {
    const source = this.readString(this.readTag())
    const bits = this.readUint32()
    let flags = ''
    for (let bit = 0; bits >>> bit !== 0; bit++) {
      if (((bits >>> bit) & 1) === 0) continue
      const flag = PATTERN_FLAGS[bit]
      if (flag === undefined) throw corruptValue()
      flags += flag
    }
    if (!isPatternAllowed(source, flags.includes('v'))) throw corruptValue()
    try {
      return new RegExp(source, flags)
    } catch (error) {
      throw corruptValue(error)
    }
  }

  private readBuffer(): ArrayBuffer {
    const length = this.readUint32()
    const start = this.skip(length)
    const buffer = new ArrayBuffer(length)
    if (length > 0) new Uint8Array(buffer).set(this.bytes.subarray(start, start + length))
    return buffer
  }

  private readString(tag: string, isName = false): string {
    if (tag !== '"' && tag !== 'c') throw corruptValue()
    const length = this.readUint32()
    const start = this.skip(length)
    if (tag === 'c') {
      if (length % 2 !== 0) throw corruptValue()
      return this.bytes.ucs2Slice(start, start + length)
    }
    if (length === 0) return ''
    return (isName ? readName(this.bytes, start, length) : undefined) ?? readLatin1(this.bytes, start, length)
  }

  private readBigint(): bigint {
    const bits = this.readUint32()
    const length = bits >>> 1
    if (length > MAX_MAGNITUDE_BYTES) throw corruptValue()
    const magnitude = readMagnitude(this.bytes, this.skip(length), length)
    return (bits & 1) === 0 ? magnitude : -magnitude
  }

  private readNumber(tag: 'I' | 'U' | 'N'): number {
    if (tag === 'N') return this.readDouble()
    const bits = this.readUint32()
    // The encoding is zigzag: the sign is the lowest bit.
    return tag === 'U' ? bits : (bits >>> 1) ^ -(bits & 1)
  }

  private readDouble(): number {
    return this.view.getFloat64(this.skip(8), true)
  }

  /** Reads a number of up to 32 bits, 7 to a byte, the lowest first. */
  private readUint32(): number {
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

  /** Returns the next tag without consuming it. Zeros before it pad strings of two bytes a unit. */
  private peek(): string {
    while (this.at < this.end && this.bytes[this.at] === 0) this.at++
    if (this.at >= this.end) return ''
    return TAGS[this.bytes[this.at]]
  }

  private readTag(): string {
    const tag = this.peek()
    if (tag === '') throw corruptValue()
    this.at++
    return tag
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

  private add<T extends object>(object: T): T {
    this.objects.push(object)
    return object
  }
}

const TAGS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))

/** Makes an error without a stack, which takes longer than all the rest, and which user code might write. */
function withoutStack<E extends Error>(make: () => E): E {
  const constructor = Error as { stackTraceLimit: number | undefined }
  const limit = constructor.stackTraceLimit
  constructor.stackTraceLimit = undefined
  try {
    return make()
  } finally {
    constructor.stackTraceLimit = limit
  }
}

function setStack(error: Error, stack: string | undefined): void {
  // From Node.js 22 on, `stack` is an accessor, whose setter could change a frozen error.
  Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
}
