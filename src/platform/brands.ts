/** Finds the true kind of an object, of any realm and with any prototype. */
import { EventEmitter } from 'node:events'
import { types } from 'node:util'

export { types }
export const { isArgumentsObject, isNativeError, isSharedArrayBuffer, isUint8Array } = types

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { toString } = Function.prototype
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { isPrototypeOf } = Object.prototype

/** Returns whether `value` is a function that is not written in JavaScript (or was made by `bind`). */
export function isNativeFunction(value: unknown): value is { readonly name: string } {
  return typeof value === 'function' && /\{\s*\[native code\]\s*\}$/.test(toString.call(value))
}

/** Returns whether objects of this prototype are event emitters, as all streams, servers and workers of Node.js are. */
export function isListened(prototype: object): boolean {
  return prototype === EventEmitter.prototype || isPrototypeOf.call(EventEmitter.prototype, prototype)
}

/** Returns whether an object has data in a slot of the language, no matter what its prototype is. */
export function isBranded(object: object): boolean {
  return (
    types.isMap(object) ||
    types.isSet(object) ||
    types.isPromise(object) ||
    types.isWeakMap(object) ||
    types.isWeakSet(object) ||
    types.isDate(object) ||
    types.isRegExp(object) ||
    types.isAnyArrayBuffer(object) ||
    types.isBoxedPrimitive(object) ||
    types.isNativeError(object) ||
    types.isGeneratorObject(object) ||
    types.isMapIterator(object) ||
    types.isSetIterator(object) ||
    types.isExternal(object)
  )
}
