import { types } from '../platform/brands.js'

/**
 * Frozen Maps and Sets: `Object.freeze` leaves what is inside open, and readers of a thread share a value. So such an
 * object gets methods of its own that refuse. It stays a Map or a Set by its prototype, and in comparisons and copies,
 * which pass over properties that are not enumerable.
 */

/** Refuses as the language does for a frozen object: with an error that is no error of a map. */
function refuse(this: unknown): never {
  const kind = types.isSet(this) ? 'Set' : 'Map'
  throw new TypeError(
    `This ${kind} is frozen, as everything in a value that a map returns. Change a copy, new ${kind}(it), and store that.`,
  )
}

const REFUSING = { value: refuse }

/** Makes a Map or a Set immutable, but for calls past it such as `Map.prototype.set.call`. */
export function guard<T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>>(collection: T): T {
  // One by one, because that takes half as long as all in one call.
  Object.defineProperty(collection, types.isMap(collection) ? 'set' : 'add', REFUSING)
  Object.defineProperty(collection, 'delete', REFUSING)
  Object.defineProperty(collection, 'clear', REFUSING)
  return Object.freeze(collection)
}
