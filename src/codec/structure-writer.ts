import { types } from 'node:util'
import type { MapsafeTypeError } from '../errors.js'
import { ByteWriter } from './byte-writer.js'
import { ObjectNumbers } from './object-numbers.js'
import { refusal } from './refusal.js'
import {
  ARRAY16,
  ARRAY32,
  BUFFER,
  BUFFER_TYPES,
  BYTES16,
  BYTES32,
  BYTES8,
  DATE,
  ERROR,
  ERROR_NAMES,
  FALSE,
  MAP,
  MAX_NESTING,
  MAX_SMALL_COUNT,
  NULL,
  OBJECT16,
  OBJECT32,
  REFERENCE,
  REGEXP,
  SET,
  SMALL_ARRAY,
  SMALL_OBJECT,
  SPARSE_ARRAY,
  TRUE,
  UNDEFINED,
  WRAPPER,
} from './structure.js'
import { notStorable } from './value-error.js'
import { formatPath, MemberStep, type PathStep } from './value-path.js'

/**
 * Writes an object and everything in it, in one walk, as the structured clone algorithm walks it: own enumerable properties with
 * string names, each read once, so that a getter runs once; class instances as plain objects; internal data of
 * built-in objects whatever their methods were replaced with.
 *
 * It departs from structured clone where that would store more than was asked for: a view is stored with the bytes it shows, not
 * with its whole buffer, so two views of one buffer come back with a buffer each.
 *
 * Getters are user code and may use the map, and so this very class; whoever owns a writer must not hand it out while
 * {@link StructureWriter.busy}.
 */
export class StructureWriter extends ByteWriter {
  /** Whether a call of {@link StructureWriter.write} is under way. */
  busy = false
  /** Whether an object occurs more than once in the structure written. */
  hasReferences = false
  private readonly numbers = new ObjectNumbers()
  /** The way from the root to the value being written; its length is the level of nesting. */
  private readonly path: PathStep[] = []

  /**
   * Writes the structure of `root` over the previous one. O(size of the structure).
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE`, naming the path to what cannot be stored
   */
  write(root: object): void {
    this.rewind()
    this.busy = true
    this.hasReferences = false
    try {
      this.writeObject(root)
    } finally {
      this.busy = false
      this.numbers.clear()
      this.path.length = 0
    }
  }

  private writeValue(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.writeString(value)
        break
      case 'number':
        this.writeNumber(value)
        break
      case 'boolean':
        this.writeToken(value ? TRUE : FALSE)
        break
      case 'undefined':
        this.writeToken(UNDEFINED)
        break
      case 'bigint':
        this.writeBigint(value)
        break
      case 'object':
        if (value === null) this.writeToken(NULL)
        else this.writeObject(value)
        break
      default:
        throw this.refuse(typeof value === 'function' ? 'a function' : 'a symbol')
    }
  }

  private writeObject(object: object): void {
    const number = this.numbers.find(object)
    if (number >= 0) {
      this.writeToken(REFERENCE)
      this.writeUint32(number)
      this.hasReferences = true
      return
    }
    if (this.path.length > MAX_NESTING) throw this.refuse(`nested deeper than ${MAX_NESTING} levels`)
    if (types.isProxy(object)) throw this.refuse('a Proxy')
    if (Array.isArray(object)) {
      this.writeArray(object)
      return
    }
    const prototype: unknown = Object.getPrototypeOf(object)
    if (prototype === Object.prototype || prototype === null) this.writeProperties(object)
    else this.writeSpecial(object)
  }

  private writeProperties(object: object): void {
    const names = Object.keys(object)
    const header = this.length
    if (names.length <= MAX_SMALL_COUNT) this.writeToken(SMALL_OBJECT | names.length)
    else this.writeCount(names.length, OBJECT16, OBJECT32)
    const written = this.writeNamed(object, names)
    if (written !== names.length) this.correctCount(header, written)
  }

  /** @returns how many of the properties were still there when their turn came; a getter may have deleted later ones */
  private writeNamed(object: object, names: readonly string[]): number {
    const path = this.path
    const level = path.length
    let written = 0
    for (const name of names) {
      const value = (object as Record<string, unknown>)[name]
      if (value === undefined && !Object.hasOwn(object, name)) continue
      path[level] = name
      this.writeString(name)
      this.writeValue(value)
      written++
    }
    path.length = level
    return written
  }

  /** Stores a smaller count into the object header at `header`, in the form that is there. */
  private correctCount(header: number, count: number): void {
    const token = this.bytes[header]
    if (token === OBJECT16) this.view.setUint16(header + 1, count, true)
    else if (token === OBJECT32) this.view.setUint32(header + 1, count, true)
    else this.bytes[header] = SMALL_OBJECT | count
  }

  private writeArray(array: readonly unknown[]): void {
    const { length } = array
    // Indices come first and in order, so the array has no holes if its `length`-th key is the last index.
    const keys = Object.keys(array)
    if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) {
      this.writeSparseArray(array, keys)
      return
    }
    if (length <= MAX_SMALL_COUNT) this.writeToken(SMALL_ARRAY | length)
    else this.writeCount(length, ARRAY16, ARRAY32)
    const path = this.path
    const level = path.length
    for (let i = 0; i < length; i++) {
      path[level] = i
      this.writeValue(array[i])
    }
    path.length = level
  }

  private writeSparseArray(array: readonly unknown[], keys: readonly string[]): void {
    this.writeToken(SPARSE_ARRAY)
    this.writeUint32(array.length)
    const countAt = this.take(4)
    const written = this.writeNamed(array, keys)
    this.view.setUint32(countAt, written, true)
  }

  /** An object that has a prototype of its own: a built-in one, or an instance of somebody's class. */
  private writeSpecial(object: object): void {
    if (types.isDate(object)) {
      const at = this.take(9)
      this.bytes[at] = DATE
      this.view.setFloat64(at + 1, Date.prototype.getTime.call(object), true)
    } else if (types.isMap(object)) this.writeMap(object)
    else if (types.isSet(object)) this.writeSet(object)
    else if (ArrayBuffer.isView(object)) this.writeView(object)
    else if (types.isArrayBuffer(object)) this.writeBuffer('ArrayBuffer', new Uint8Array(object))
    else if (types.isNativeError(object)) this.writeError(object)
    else if (types.isRegExp(object)) this.writeRegExp(object)
    else {
      const reason = refusal(object)
      if (reason !== undefined) throw this.refuse(reason)
      if (types.isBoxedPrimitive(object)) this.writeWrapper(object)
      else this.writeProperties(object)
    }
  }

  private writeMap(map: ReadonlyMap<unknown, unknown>): void {
    // Copied first, as structured clone does: a getter in an entry may change the map.
    const entries: [unknown, unknown][] = []
    Map.prototype.forEach.call(map, (value, key) => entries.push([key, value]))
    this.writeToken(MAP)
    this.writeUint32(entries.length)
    const path = this.path
    const level = path.length
    for (const [index, [key, value]] of entries.entries()) {
      path[level] = new MemberStep('key', index)
      this.writeValue(key)
      path[level] = new MemberStep('value', key)
      this.writeValue(value)
    }
    path.length = level
  }

  private writeSet(set: ReadonlySet<unknown>): void {
    const members: unknown[] = []
    Set.prototype.forEach.call(set, (member) => members.push(member))
    this.writeToken(SET)
    this.writeUint32(members.length)
    const path = this.path
    const level = path.length
    for (const [index, member] of members.entries()) {
      path[level] = new MemberStep('member', index)
      this.writeValue(member)
    }
    path.length = level
  }

  private writeView(view: ArrayBufferView): void {
    if (types.isSharedArrayBuffer(view.buffer)) {
      throw this.refuse('a view of a SharedArrayBuffer (copy the bytes with slice() first)')
    }
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    if (types.isUint8Array(view)) {
      this.writeLength(bytes.length, BYTES8, BYTES16, BYTES32)
      const at = this.take(bytes.length)
      this.bytes.set(bytes, at)
    } else {
      this.writeBuffer(viewType(view), bytes)
    }
  }

  private writeBuffer(type: string, bytes: Uint8Array): void {
    const header = this.take(6)
    this.bytes[header] = BUFFER
    this.bytes[header + 1] = BUFFER_TYPES.indexOf(type)
    this.view.setUint32(header + 2, bytes.length, true)
    const at = this.take(bytes.length)
    this.bytes.set(bytes, at)
  }

  private writeError(error: Error): void {
    const { name, message, stack } = error as unknown as Record<string, unknown>
    const header = this.take(2)
    this.bytes[header] = ERROR
    this.bytes[header + 1] = Math.max(0, ERROR_NAMES.indexOf(String(name)))
    this.writeValue(Object.hasOwn(error, 'message') ? String(message) : undefined)
    this.writeValue(typeof stack === 'string' ? stack : undefined)
    const hasCause = Object.hasOwn(error, 'cause')
    this.writeToken(hasCause ? 1 : 0)
    if (hasCause) {
      this.path.push('cause')
      this.writeValue(error.cause)
      this.path.pop()
    }
  }

  private writeRegExp(regExp: RegExp): void {
    this.writeToken(REGEXP)
    this.writeString(regExp.source)
    this.writeString(regExp.flags)
  }

  private writeWrapper(object: { valueOf(): unknown }): void {
    this.writeToken(WRAPPER)
    this.writeValue(primitiveOf(object))
  }

  private refuse(what: string): MapsafeTypeError {
    return notStorable(formatPath(this.path), what)
  }
}

/** The internal type of a view; a subclass has that of its base. */
function viewType(view: ArrayBufferView): string {
  return types.isDataView(view) ? 'DataView' : (view as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]
}

function primitiveOf(object: object): unknown {
  if (types.isStringObject(object)) return String.prototype.valueOf.call(object)
  if (types.isNumberObject(object)) return Number.prototype.valueOf.call(object)
  if (types.isBooleanObject(object)) return Boolean.prototype.valueOf.call(object)
  return BigInt.prototype.valueOf.call(object)
}
