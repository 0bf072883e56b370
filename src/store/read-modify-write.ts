import { ownKey, type Key } from '../format/key.js'
import type { ValueEncoder } from '../codec/value.js'
import { refusePromise } from '../base/promises.js'
import { PUT_GIVEN, PUT_IF_ABSENT, PUT_IF_VERSION } from '../engine/engine.js'
import { notedAnew } from '../format/labels.js'
import { Expected } from './expected.js'
import { labelsOf, slidingLife, spanOf, withLabels, type Lifetime } from './lifetime.js'
import { deciding } from './reentry.js'
import type { Store, StoredEntry } from './store.js'
import { LOST, untilWritten } from './until-written.js'
import { remove, removeHeld, writeEncoded, writeHeld } from './writes.js'

/** The result of a decision: a value to store, already encoded; DELETE; or undefined to leave everything as it is. */
type Change = ValueEncoder | typeof DELETE | undefined
type Decide<V> = (value: V | undefined, isPresent: boolean) => Change
type ChooseExpiry<V> = (entry: StoredEntry<V> | undefined) => Lifetime | undefined
const DELETE = Symbol('delete')

const UPDATE_AT_ONCE =
  'expected the new value itself. Await what it takes before the call, or await between getEntry and setIfVersion.'

/**
 * Stores the value that `compute` makes from the value of `key`. An entry that is there keeps its expiry.
 *
 * @param marker what `compute` returns to delete the entry
 * @param expiresIfNew how long a new entry lives
 * @returns the value that a reader will get; undefined if there is no entry any more
 */
export function update<V>(
  store: Store<V>,
  key: Key,
  compute: (value: V | undefined) => unknown,
  marker: symbol,
  expiresIfNew?: Lifetime,
): V | undefined {
  let next: unknown
  const decide: Decide<V> = (value, isPresent) => {
    next = store.timed(key, () => compute(value))
    if (next === marker) return isPresent ? DELETE : undefined
    refusePromise(next, 'ERR_MAPSAFE_VALUE_TYPE', 'update', UPDATE_AT_ONCE)
    return store.encode(next)
  }
  const change = readModifyWrite(store, key, decide, () => {
    // Noted before the entry is looked for: what is not found because its labels were invalidated is made with them anew.
    const ifNew = withLabelsNow(store, expiresIfNew)
    return (entry) => (entry === undefined ? ifNew : lifeOf(entry))
  })
  if (change === undefined || change === DELETE) return undefined
  const encoder = change
  const stored = store.decodeEncoded(encoder, next)
  encoder.release()
  return stored
}

/** Returns a life whose labels have their present generations. */
function withLabelsNow(store: Store<unknown>, life: Lifetime | undefined): Lifetime | undefined {
  const labels = labelsOf(life)
  return labels === undefined ? life : withLabels(spanOf(life), notedAnew(store.open().words, labels))
}

/** How long an entry that is changed lives on: to its end, or anew if its uses renew it; and with its labels. */
function lifeOf({ expiresAt, slidingTtl, labels }: StoredEntry<unknown>): Lifetime {
  return withLabels(slidingTtl === 0 ? expiresAt : slidingLife(slidingTtl), labels)!
}

/** Stores `next` if the value of `key` is `expected`. @returns whether it was stored */
export function compareAndSwap<V>(
  store: Store<V>,
  key: Key,
  expected: unknown,
  next: unknown,
  lifetime?: Lifetime,
): boolean {
  const sought = new Expected(store, expected)
  const decide: Decide<V> = (value, isPresent) => {
    const holds = isPresent && sought.equals(value)
    // Encodes `next` in any case, so that a value that cannot be stored is always refused.
    const encoder = store.encode(next)
    if (holds) return encoder
    encoder.release()
    return undefined
  }
  const encoder = readModifyWrite(store, key, decide, () => () => lifetime, PUT_GIVEN) as ValueEncoder | undefined
  encoder?.release()
  return encoder !== undefined
}

/**
 * Deletes the entry of `key` if `test` returns true for its value.
 *
 * @param isPassing true in a walk over many keys, whose reads do not count as uses of the entries
 * @returns whether it was deleted
 */
export function deleteIf<V>(store: Store<V>, key: Key, test: (value: V) => unknown, isPassing = false): boolean {
  const decide: Decide<V> = (value, isPresent) => (isPresent && test(value!) ? DELETE : undefined)
  return readModifyWrite(store, key, decide, () => () => undefined, 0, isPassing) !== undefined
}

/** Deletes the entry of `key` if its value is `expected`. @returns whether it was deleted */
export function compareAndDelete<V>(store: Store<V>, key: Key, expected: unknown): boolean {
  const sought = new Expected(store, expected)
  return deleteIf(store, key, (value) => sought.equals(value))
}

/**
 * Changes the entry of `key` in one atomic step, as `decide` says.
 *
 * @param decide given the value, and whether there is an entry. Called again after a lost race; must not write to the
 * map; if it throws, nothing is changed.
 * @param begin called before the entry is read; what it returns says when the entry stored expires, as for Store.write
 * @param given PUT_GIVEN if what is stored is not made of the entry's value
 * @returns the change that was made
 */
function readModifyWrite<V>(
  store: Store<V>,
  sought: Key,
  decide: Decide<V>,
  begin: () => ChooseExpiry<V>,
  given = 0,
  isPassing = false,
): Change {
  const key = ownKey(sought) // the decision runs user code
  if (!isPassing) store.hotKeys.note(key)
  return untilWritten<Change>(store, key, (isHeld) => {
    const chooseExpiry = begin()
    const entry = isHeld ? store.hold(key) : isPassing ? store.entryPassing(key) : store.entry(key)
    const change = deciding(store.openToWrite(), () => decide(entry?.value, entry !== undefined))
    if (change === undefined) return change
    if (isHeld && change === DELETE) {
      removeHeld(store, key)
      return change
    }
    const expiresAt = chooseExpiry(entry)
    if (isHeld && writeHeld(store, key, change as ValueEncoder, expiresAt)) return change
    return apply(store, key, change, given, entry?.version, expiresAt) ? change : LOST
  })
}

function apply<V>(
  store: Store<V>,
  key: Key,
  change: ValueEncoder | typeof DELETE,
  given: number,
  version?: number,
  lifetime?: Lifetime,
): boolean {
  if (change === DELETE) return remove(store, key, PUT_IF_VERSION, version)
  const mode = version === undefined ? PUT_IF_ABSENT : PUT_IF_VERSION
  return writeEncoded(store, key, change, mode | given, version, lifetime)
}
