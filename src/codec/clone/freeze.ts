import { types } from '../../platform/brands.js'

/**
 * Freezes everything that can be reached from an object that structured clone made. Freezing does not prevent changes
 * inside a Map, a Set, a Date, a RegExp or a buffer. O(size of the value).
 *
 * @returns whether nothing in it can be changed, by any means
 */
export function freezeClone(object: object): boolean {
  // Structured clone makes no frozen objects, so this one was met before, and its result counts there.
  if (Object.isFrozen(object)) return true
  if (ArrayBuffer.isView(object) || types.isAnyArrayBuffer(object)) return false
  // A search with the flag g or y stores its position into the object.
  if (types.isRegExp(object)) return false
  Object.freeze(object)
  if (types.isMap(object)) {
    for (const entry of object) entry.forEach(freezePart)
    return false
  }
  if (types.isSet(object)) {
    object.forEach(freezePart)
    return false
  }
  let immutable = !types.isDate(object)
  // Takes all own names, because an error's cause is not enumerable.
  for (const name of Object.getOwnPropertyNames(object)) {
    if (!freezePart((object as Record<string, unknown>)[name])) immutable = false
  }
  return immutable
}

function freezePart(value: unknown): boolean {
  return typeof value !== 'object' || value === null || freezeClone(value)
}
