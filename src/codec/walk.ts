import { types } from '../platform/brands.js'
import type { MapsafeTypeError } from '../base/errors.js'
import {
  bufferLengthOf,
  bufferOf,
  bytesOf,
  isDetached,
  isOutOfReach,
  isResizable,
  typedArrayType,
} from '../base/views.js'
import { isArgumentsObject } from '../platform/brands.js'
import { Views } from './clone/views.js'
import { DomExceptionCopy, isDomException } from './clone/dom-exception.js'
import { Copies } from './copies.js'
import { isPatternAllowed, MAX_NESTING } from './limits.js'
import { isOrdinary } from './ordinary.js'
import { define } from './plain/makers.js'
import type { Read } from './plain/reads.js'
import { refusal, refusalOfEmpty, type Refusal } from './refusal.js'
import { notStorable } from './value-error.js'
import { formatPath, MemberStep, type PathStep } from './value-path.js'

/**
 * Copies an object with everything that structured clone would reach from it, so that a serializer needs to run no user
 * code: own enumerable properties with string names, each read once, so that a getter runs once; class instances as
 * plain objects; the contents of Maps, Sets and errors. Objects that keep their data inside, such as a Date, are kept
 * as they are.
 *
 * It differs from structured clone where that would store more than the caller asked for: a view is copied with the
 * bytes it shows, not with its whole buffer, so two views of parts of one buffer come back with a buffer each.
 *
 * Getters are user code and may use the map, and so this class: the owner of a walk must not use it while
 * {@link ValueWalk.busy}.
 */
export class ValueWalk {
  /** Whether a call of {@link ValueWalk.copy} is under way. */
  busy = false
  private readonly copies = new Copies()
  /** The errors around the object being copied. */
  private readonly errors: Error[] = []
  /** The way from the root to the object being copied; its length is the level of nesting. */
  private readonly path: PathStep[] = []
  /** What another codec has read before it gave up; it is not read again. */
  private reads: ReadonlyMap<object, Read> | undefined

  /**
   * Copies `root`. O(size of the value).
   *
   * @param reads what was read of the objects in it already
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE`, naming the path to the part that cannot be stored; any error of
   * a getter
   */
  copy(root: object, reads?: ReadonlyMap<object, Read>): object {
    this.busy = true
    this.reads = reads
    try {
      return this.copyObject(root)
    } finally {
      this.busy = false
      this.reads = undefined
      this.copies.clear()
      // Resets after an error only: setting a length takes as long as a property of the value.
      if (this.path.length > 0) this.path.length = this.errors.length = 0
    }
  }

  private copyPart(value: unknown, step: PathStep): unknown {
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'undefined':
      case 'bigint':
        return value
      case 'object': {
        if (value === null) return value
        this.path.push(step)
        const copy = this.copyObject(value)
        this.path.pop()
        return copy
      }
      default:
        this.path.push(step)
        throw this.refuse(typeof value === 'function' ? 'a function' : 'a symbol')
    }
  }

  private copyObject(object: object): object {
    const known = this.copies.find(object)
    if (known !== undefined) {
      // V8 writes such an error, but fails to read it back.
      if (this.errors.includes(object as Error)) throw this.refuse('an error within its own cause')
      return known
    }
    if (this.path.length > MAX_NESTING) throw this.refuse(`nested deeper than ${MAX_NESTING} levels`)
    // This check comes first, because any other look at a Proxy runs user code.
    if (types.isProxy(object)) throw this.refuse('a Proxy')
    if (Array.isArray(object)) return this.copyArray(object)
    return Object.getPrototypeOf(object) === Object.prototype && isOrdinary(object)
      ? this.copyProperties(object)
      : this.copySpecial(object)
  }

  private copyProperties(source: object): object {
    const read = this.reads?.get(source)
    // Spreading reads the properties as structured clone does, and makes data properties of them.
    const copy: Record<string, unknown> = read === undefined ? { ...source } : resume(source, read)
    this.copies.add(source, copy)
    let isEmpty = true
    for (const name in copy) {
      if (!Object.prototype.hasOwnProperty.call(copy, name)) continue
      isEmpty = false
      const value = copy[name]
      const part = this.copyPart(value, name)
      if (part !== value) copy[name] = part
    }
    if (isEmpty) this.check(refusalOfEmpty(source))
    return copy
  }

  private copyArray(source: readonly unknown[]): unknown[] {
    const { length } = source
    // Indices come first and in order, so the array has no holes if its `length`-th key is the last index.
    const keys = Object.keys(source)
    if (keys.length !== length || (length > 0 && keys[length - 1] !== String(length - 1))) {
      return this.copySparseArray(source, keys)
    }
    const copy = new Array<unknown>(length)
    this.copies.add(source, copy)
    const values = this.reads?.get(source)?.values ?? []
    for (let i = 0; i < length; i++) copy[i] = this.copyPart(i < values.length ? values[i] : source[i], i)
    return copy
  }

  private copySparseArray(source: readonly unknown[], keys: readonly string[]): unknown[] {
    const copy: unknown[] = []
    this.copies.add(source, copy)
    copy.length = source.length
    const read = this.reads?.get(source)
    const values = read?.isWhole && read.values.length === keys.length ? read.values : undefined
    for (const [i, key] of keys.entries()) {
      const value = values === undefined ? (source as unknown as Record<string, unknown>)[key] : values[i]
      if (value === undefined && !Object.hasOwn(source, key)) continue // a getter deleted it
      const part = this.copyPart(value, key)
      // Assigning to __proto__ would change the prototype.
      Object.defineProperty(copy, key, { value: part, writable: true, enumerable: true, configurable: true })
    }
    return copy
  }

  /**
   * Copies an object with a prototype other than Object.prototype: a built-in object, or an instance of a user's class.
   */
  private copySpecial(object: object): object {
    if (types.isDate(object)) return this.takeOver(object)
    if (types.isRegExp(object)) return this.copyPattern(object)
    if (types.isMap(object)) return this.copyMap(object)
    if (types.isSet(object)) return this.copySet(object)
    if (ArrayBuffer.isView(object)) return this.copyView(object)
    if (types.isArrayBuffer(object)) {
      if (isDetached(object)) throw this.refuse('a detached ArrayBuffer')
      return isResizable(object) ? this.copyBuffer(object) : this.takeOver(object)
    }
    // A DOMException is a native error from Node.js 22 on.
    if (isDomException(object)) return this.copyDomException(object)
    if (types.isNativeError(object)) return this.copyError(object)
    if (types.isSymbolObject(object)) throw this.refuse('a Symbol object')
    if (types.isBoxedPrimitive(object)) return this.takeOver(object)
    this.check(isArgumentsObject(object) ? ARGUMENTS : refusal(object))
    return this.copyProperties(object)
  }

  private check(refusal: Refusal | undefined): void {
    if (refusal !== undefined) throw this.refuse(refusal.what, refusal.instead)
  }

  /** Takes over an object as it is: V8 serializes its inner data and reads nothing else of it. */
  private takeOver(object: object): object {
    return object
  }

  private copyPattern(pattern: RegExp): object {
    // Reads the pattern by the intrinsic getters: the decoder checks the pattern that V8 writes, not an own property.
    if (!isPatternAllowed(sourceOf.call(pattern) as string, setsOf?.call(pattern) === true)) {
      throw this.refuse('a regular expression with too long a pattern')
    }
    return this.takeOver(pattern)
  }

  /** Copies a buffer with a fixed length, as the buffers of all values have. */
  private copyBuffer(source: ArrayBuffer): ArrayBuffer {
    const copy = new Uint8Array(new Uint8Array(source)).buffer
    this.copies.add(source, copy)
    return copy
  }

  private copyMap(source: ReadonlyMap<unknown, unknown>): Map<unknown, unknown> {
    const copy = new Map<unknown, unknown>()
    this.copies.add(source, copy)
    // Takes all entries first, as structured clone does: a getter in one may change the map.
    const entries: [unknown, unknown][] = []
    forEachEntry.call(source, (value, key) => entries.push([key, value]))
    for (const [index, [key, value]] of entries.entries()) {
      const keyCopy = this.copyPart(key, new MemberStep('key', index))
      copy.set(keyCopy, this.copyPart(value, new MemberStep('value', key)))
    }
    return copy
  }

  private copySet(source: ReadonlySet<unknown>): Set<unknown> {
    const copy = new Set<unknown>()
    this.copies.add(source, copy)
    const members: unknown[] = []
    forEachMember.call(source, (member) => members.push(member))
    for (const [index, member] of members.entries()) copy.add(this.copyPart(member, new MemberStep('member', index)))
    return copy
  }

  private copyView(view: ArrayBufferView): object {
    const buffer = bufferOf(view)
    if (types.isSharedArrayBuffer(buffer))
      throw this.refuse('a view of a SharedArrayBuffer', 'copy the bytes with slice() first')
    if (isOutOfReach(view)) {
      const what = isDetached(buffer)
        ? 'a detached ArrayBuffer'
        : 'an ArrayBuffer that was shrunk to end before it does'
      throw this.refuse(`a view of ${what}`)
    }
    const bytes = bytesOf(view)
    if (bytes.length === bufferLengthOf(buffer) && !isResizable(buffer)) return this.takeOver(view)
    const copy = new Views[typedArrayType(view) ?? 'DataView'](new Uint8Array(bytes).buffer)
    this.copies.add(view, copy)
    return copy
  }

  private copyError(source: Error): Error {
    const { name, message, stack } = source as unknown as Record<string, unknown>
    const copy = Object.hasOwn(source, 'message') ? new Error(String(message)) : new Error()
    this.copies.add(source, copy)
    copy.name = String(name)
    if (typeof stack === 'string') copy.stack = stack
    else delete copy.stack
    this.copyCause(source, copy)
    return copy
  }

  private copyDomException(source: DOMException): DomExceptionCopy {
    const copy = new DomExceptionCopy(source)
    this.copies.add(source, copy)
    this.copyCause(source, copy)
    return copy
  }

  private copyCause(source: Error, copy: object): void {
    if (!Object.hasOwn(source, 'cause')) return
    const { cause } = source
    this.errors.push(source)
    Object.defineProperty(copy, 'cause', { value: this.copyPart(cause, 'cause') })
    this.errors.pop()
  }

  private refuse(what: string, instead?: string): MapsafeTypeError {
    return notStorable(formatPath(this.path), what, instead)
  }
}

/** Returns the properties that were read of `source`, and reads those that were not. */
function resume(source: object, { names, values, isWhole }: Read): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  for (const [i, name] of names.entries()) define(copy, name as string, values[i])
  if (isWhole) return copy
  for (const name of Object.keys(source)) {
    if (!Object.hasOwn(copy, name) && Object.hasOwn(source, name)) {
      define(copy, name, (source as Record<string, unknown>)[name])
    }
  }
  return copy
}

const ARGUMENTS: Refusal = { what: 'the arguments of a function', instead: 'store Array.from(arguments)' }

const getterOf = (prototype: object, name: string): ((this: object) => unknown) | undefined =>
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
  Object.getOwnPropertyDescriptor(prototype, name)?.get

const sourceOf = getterOf(RegExp.prototype, 'source')!
const setsOf = getterOf(RegExp.prototype, 'unicodeSets')
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const [forEachEntry, forEachMember] = [Map.prototype.forEach, Set.prototype.forEach]
