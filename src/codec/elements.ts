/**
 * Integer-like names of objects and arrays. V8 keeps such properties in an array of slots up to the largest name,
 * unless that is some thousand beyond the others: a single property of name 1000 takes 12 KiB. To keep a decoder's
 * allocations in proportion to the bytes it reads, a name far beyond the others makes the object keep these properties
 * in a hash table.
 */

const LAST_INDEX = 2 ** 32 - 2
const INDEX = /^(?:0|[1-9]\d{0,9})$/

/** Returns the array index that `name` stands for; -1 if it is not an index. */
export function indexOf(name: string): number {
  const first = name.charCodeAt(0)
  if (!(first >= 0x30 && first <= 0x39) || !INDEX.test(name)) return -1
  const index = Number(name)
  return index <= LAST_INDEX ? index : -1
}

/**
 * Returns whether `index` is too far beyond the others. Called before a property of that index becomes the `count`-th
 * of its kind.
 */
export function leaps(index: number, count: number): boolean {
  return index > 2 * count + 8
}

/** Makes `object` keep integer-like properties in a hash table from now on. An array gets the greatest length. */
export function makeSparse(object: Record<number, unknown>): void {
  // Such a great index makes V8 use a table, and never an array again.
  object[LAST_INDEX] = undefined
  Reflect.deleteProperty(object, LAST_INDEX)
}
