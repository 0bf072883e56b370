/**
 * The true properties of views of memory. An own property, a subclass or another prototype may give any `length`,
 * `byteLength` or `buffer`, and a read beyond the true end would return other memory. So these functions use the
 * getters of the language itself, taken before other code runs.
 */

const ofTypedArrays = Object.getPrototypeOf(Uint8Array.prototype) as object

const typeGetter = getterOf(ofTypedArrays, Symbol.toStringTag)
const lengthGetter = getterOf(ofTypedArrays, 'byteLength')
const offsetGetter = getterOf(ofTypedArrays, 'byteOffset')
const bufferGetter = getterOf(ofTypedArrays, 'buffer')
const viewLengthGetter = getterOf(DataView.prototype, 'byteLength')
const viewOffsetGetter = getterOf(DataView.prototype, 'byteOffset')
const viewBufferGetter = getterOf(DataView.prototype, 'buffer')
const bufferLengthGetter = getterOf(ArrayBuffer.prototype, 'byteLength')
const resizableGetter = getterOf(ArrayBuffer.prototype, 'resizable')
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { includes } = Uint8Array.prototype

/** Returns the type of a typed array, for a subclass the type of its base; undefined for anything else. */
export function typedArrayType(value: unknown): string | undefined {
  return typeGetter.call(value) as string | undefined
}

/** Returns whether `value` is a `Uint8Array`, including one of a subclass or another realm. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return typeGetter.call(value) === 'Uint8Array'
}

/** Returns the length in bytes; 0 if the memory is out of reach. */
export function byteLengthOf(array: Uint8Array): number {
  return lengthGetter.call(array) as number
}

export function bufferOf(view: ArrayBufferView): ArrayBufferLike {
  const getter = typedArrayType(view) === undefined ? viewBufferGetter : bufferGetter
  return getter.call(view) as ArrayBufferLike
}

/** Returns the bytes that a view shows, which must be within reach, as a plain `Uint8Array` of fixed length. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  const isTyped = typedArrayType(view) !== undefined
  const offset = (isTyped ? offsetGetter : viewOffsetGetter).call(view) as number
  const length = (isTyped ? lengthGetter : viewLengthGetter).call(view) as number
  return new Uint8Array(bufferOf(view), offset, length)
}

/**
 * Returns whether the memory that a view shows is gone: its buffer was detached, or shrunk so that it ends before the
 * view.
 */
export function isOutOfReach(view: ArrayBufferView): boolean {
  const isTyped = typedArrayType(view) !== undefined
  // An array out of reach has length 0, so any other length settles it.
  if (isTyped && lengthGetter.call(view) !== 0) return false
  try {
    if (isTyped) includes.call(view as Uint8Array, 0)
    else viewLengthGetter.call(view)
    return false
  } catch {
    return true
  }
}

/** Returns whether a buffer is detached. Node.js 20 has no `ArrayBuffer.prototype.detached`. */
export function isDetached(buffer: ArrayBuffer): boolean {
  if (bufferLengthGetter.call(buffer) !== 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

export function isResizable(buffer: ArrayBuffer): boolean {
  return resizableGetter.call(buffer) === true
}

export function bufferLengthOf(buffer: ArrayBuffer): number {
  return bufferLengthGetter.call(buffer) as number
}

function getterOf(prototype: object, name: string | symbol): (this: unknown) => unknown {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
  return Object.getOwnPropertyDescriptor(prototype, name)?.get ?? (() => undefined)
}
