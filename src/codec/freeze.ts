import { types } from 'node:util'

/**
 * Freezes a tree of plain objects and arrays. O(size of the tree).
 *
 * @returns false if it contains any other object
 */
export function freezeTree(object: object): boolean {
  let isTree = true
  if (Array.isArray(object)) {
    for (const element of object as unknown[]) {
      if (typeof element === 'object' && element !== null && !freezeTree(element)) isTree = false
    }
  } else if (object.constructor === Object) {
    // No plain value has a property of that name (src/codec/walk.ts), and to ask for the prototype is a call out of
    // JavaScript.
    for (const name in object) {
      if (!Object.prototype.hasOwnProperty.call(object, name)) continue
      const part = (object as Record<string, unknown>)[name]
      if (typeof part === 'object' && part !== null && !freezeTree(part)) isTree = false
    }
  } else {
    return false
  }
  Object.freeze(object)
  return isTree
}

/**
 * Freezes everything that can be reached from an object that structured clone made. Freezing does not keep anyone from
 * changing what is inside a Map, a Set, a Date, a RegExp or a buffer. O(size of the value).
 *
 * @returns whether nothing in it can be changed, by any means
 */
export function freezeClone(object: object): boolean {
  // Structured clone makes nothing frozen, so this one was met before, and speaks for itself there.
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
  // All own names, because an error's cause is not enumerable.
  for (const name of Object.getOwnPropertyNames(object)) {
    if (!freezePart((object as Record<string, unknown>)[name])) immutable = false
  }
  return immutable
}

function freezePart(value: unknown): boolean {
  return typeof value !== 'object' || value === null || freezeClone(value)
}
