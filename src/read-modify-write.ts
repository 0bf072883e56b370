import { isDeepStrictEqual } from 'node:util'
import type { Key } from './codec/key.js'
import { encodeValue, type ValueEncoder } from './codec/value.js'
import { PUT_IF_ABSENT, PUT_IF_VERSION } from './engine/engine.js'
import { Backoff } from './engine/typescript/backoff.js'
import { MapsafeError } from './errors.js'
import { deciding } from './reentry.js'
import type { Store } from './store.js'

/** What a decision leads to: a value to store, already encoded; DELETE; or undefined to leave everything as it is. */
type Change = ValueEncoder | typeof DELETE | undefined
type Decide<V> = (value: V | undefined, isPresent: boolean) => Change
const DELETE = Symbol('delete')

/** Stores what `compute` makes of the value of `key`. @returns what a reader will get */
export function update<V>(store: Store<V>, key: Key, compute: (value: V | undefined) => unknown): V {
  let next: unknown
  const encoder = readModifyWrite(store, key, (value) => encodeValue((next = compute(value)))) as ValueEncoder
  const stored = store.decodeEncoded(encoder, next)
  encoder.release()
  return stored
}

/** Stores `next` if the value of `key` is `expected`. @returns whether it was stored */
export function compareAndSwap<V>(store: Store<V>, key: Key, expected: unknown, next: unknown): boolean {
  const encoder = readModifyWrite(store, key, (value, isPresent) => {
    const holds = isPresent && isSame(value, expected)
    // Encoded in any case, so that a value that cannot be stored is always refused.
    const encoder = encodeValue(next)
    return holds ? encoder : undefined
  }) as ValueEncoder | undefined
  encoder?.release()
  return encoder !== undefined
}

/** Deletes the entry of `key` if `test` says so of its value. @returns whether it was deleted */
export function deleteIf<V>(store: Store<V>, key: Key, test: (value: V) => unknown): boolean {
  return (
    readModifyWrite(store, key, (value, isPresent) => (isPresent && test(value!) ? DELETE : undefined)) !== undefined
  )
}

/** Whether a value read from a map is `expected`: by content if it is an object, else as `Object.is` tells. */
export function isSame(value: unknown, expected: unknown): boolean {
  return typeof value === 'object' && value !== null ? isDeepStrictEqual(value, expected) : Object.is(value, expected)
}

/**
 * Changes the entry of `key` in one atomic step into what `decide` makes of it: reads the value with its version, decides, and
 * writes on condition of the version, until nobody wrote in between.
 *
 * @param decide given the value, and whether there is an entry. Called again after a lost race; must not write to the
 * map; if it throws, nothing has changed.
 * @returns what was done
 */
function readModifyWrite<V>(store: Store<V>, key: Key, decide: Decide<V>): Change {
  let backoff: Backoff | undefined
  for (;;) {
    const entry = store.entry(key)
    const change = deciding(store.openToWrite(), () => decide(entry?.value, entry !== undefined))
    if (change === undefined || apply(store, key, change, entry?.version)) return change
    backoff ??= new Backoff()
    if (!backoff.wait()) throw new MapsafeError('ERR_MAPSAFE_TIMEOUT', 'Other threads wrote the key again and again.')
  }
}

function apply<V>(store: Store<V>, key: Key, change: ValueEncoder | typeof DELETE, version?: number): boolean {
  if (change === DELETE) return store.remove(key, PUT_IF_VERSION, version)
  return store.putEncoded(key, change, version === undefined ? PUT_IF_ABSENT : PUT_IF_VERSION, version)
}
