// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a receiver only
const { toString } = Object.prototype

/**
 * Returns whether an object of the prototype `Object.prototype` may consist of its fields alone. Takes a few
 * nanoseconds.
 */
export function isOrdinary(object: object): boolean {
  return !(Symbol.toStringTag in object) && toString.call(object) === '[object Object]' && !ArrayBuffer.isView(object)
}
