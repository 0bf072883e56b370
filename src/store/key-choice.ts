import { checkFunction, readOptions, wrongInput } from '../base/arguments.js'
import { MapsafeTypeError } from '../base/errors.js'
import { refusePromise } from '../base/promises.js'
import { ownKey, type Key } from '../format/key.js'

/**
 * A choice of entries by their keys alone, for `deleteWhere`: those with all that is given, and one of the two must be. It
 * decodes no value.
 */
export interface KeyChoice<K extends Key = Key> {
  /** What a key begins with: strings that do. Not empty; to delete all entries, use `clear`. */
  readonly prefix?: string | undefined
  /**
   * Called with each key, of those with the prefix; returns whether it is meant. An error that it throws passes through;
   * what was deleted before stays deleted.
   */
  readonly key?: ((key: K) => boolean) | undefined
}

/** Says of a key whether it is meant. */
export type KeyTest = (key: Key) => boolean

/** What a message says of a decision that is a promise. */
export const DECISION_AT_ONCE = 'expected true or false. Await what it takes before the call.'

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a prefix that is no string, or empty */
export function checkPrefix(prefix: unknown): asserts prefix is string {
  if (typeof prefix !== 'string' || prefix === '')
    throw wrongInput('Option prefix', prefix, 'a string that is not empty')
}

/** Returns whether a key is a string that begins with `prefix`. */
export function hasPrefix(key: Key, prefix: string): boolean {
  return typeof key === 'string' && key.startsWith(prefix)
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong choice, and for one that chooses nothing */
export function readKeyChoice<K extends Key>(choice: KeyChoice<K>): KeyTest {
  const { prefix, key: test } = readOptions(choice, ['prefix', 'key'])
  if (prefix !== undefined) checkPrefix(prefix)
  if (test !== undefined) checkFunction('key', test)
  if (prefix === undefined && test === undefined) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      'The choice has neither prefix nor key; expected at least one. To delete all entries, call clear.',
    )
  }
  return (key) => {
    if (prefix !== undefined && !hasPrefix(key, prefix)) return false
    if (test === undefined) return true
    const decision: unknown = test(ownKey(key) as K)
    // A promise is true, whatever it brings.
    refusePromise(decision, 'ERR_MAPSAFE_OPTIONS', 'deleteWhere', DECISION_AT_ONCE)
    return Boolean(decision)
  }
}
