import { types } from '../../platform/brands.js'
import { guard } from '../guard.js'

/**
 * Freezes everything that can be reached from an object that structured clone made. Freezing does not prevent changes
 * inside a Date, a RegExp or a buffer. O(size of the value).
 *
 * @returns whether nothing in it can be changed, by any means
 */
export function freezeClone(object: object): boolean {
  // Structured clone makes no frozen objects, so this one was met before, and its result counts there.
  if (Object.isFrozen(object)) return true
  if (ArrayBuffer.isView(object) || types.isAnyArrayBuffer(object)) return false
  // A search with the flag g or y stores its position into the object.
  if (types.isRegExp(object)) return false
  let immutable = true
  if (types.isMap(object)) {
    for (const [key, value] of guard(object)) immutable = freezeAll([key, value]) && immutable
    return immutable
  }
  if (types.isSet(object)) return freezeAll(guard(object))
  if (types.isDate(object)) immutable = false
  Object.freeze(object)
  // Takes all own names, because an error's cause is not enumerable.
  for (const name of Object.getOwnPropertyNames(object)) {
    if (!freezePart((object as Record<string, unknown>)[name])) immutable = false
  }
  return immutable
}

function freezeAll(parts: Iterable<unknown>): boolean {
  let immutable = true
  for (const part of parts) if (!freezePart(part)) immutable = false
  return immutable
}

function freezePart(value: unknown): boolean {
  return typeof value !== 'object' || value === null || freezeClone(value)
}
