/**
 * Writes of one key. The public classes document them and check their arguments. Each begins with `openToWrite`, which
 * refuses it inside a function that decides on another write.
 */
import type { ValueEncoder } from '../codec/value.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FULL,
  NOT_A_COUNTER,
  NOT_DONE,
  PUT_ALWAYS,
  PUT_CONDITION_MASK,
  PUT_GIVEN,
  PUT_NARROW,
  PUT_IF_ABSENT,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RETURN_PREVIOUS,
  type Engine,
} from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { asOneCall } from '../engine/one-call.js'
import { NEVER } from '../format/entry.js'
import { markForFailures } from '../format/expiry.js'
import { ownKey, type Key } from '../format/key.js'
import { lostType } from './lost-type.js'
import { lackedRoom } from './room.js'
import { giveLabels } from './give-labels.js'
import { labelsOf, type Lifetime } from './lifetime.js'
import type { Store } from './store.js'

/**
 * Stores `value` if `mode` allows it; returns whether it did.
 *
 * @param lifetime here and below, undefined leaves it to the map
 */
export function write(
  store: Store<unknown>,
  key: Key,
  value: unknown,
  mode: number,
  version?: number,
  lifetime?: Lifetime,
): boolean {
  store.openToWrite()
  store.hotKeys.note(key)
  const own = typeof key === 'object' ? ownKey(key) : key // a getter in the value may change it
  const encoder = store.encode(value)
  try {
    return writeEncoded(store, own, encoder, mode | PUT_GIVEN, version, lifetime)
  } finally {
    encoder.release()
  }
}

/**
 * Writes as {@link write} does, but a value that is encoded already.
 *
 * @param mode with PUT_GIVEN unless the value is made of older ones: of the entry, or by a function of the user
 * @param staleFor milliseconds after the entry's expiry, if it has one, for which loads may still return the value
 * @param forFailures whether they may do so only where a load failed
 */
export function writeEncoded(
  store: Store<unknown>,
  key: Key,
  encoder: ValueEncoder,
  mode: number,
  version?: number,
  lifetime?: Lifetime,
  staleFor = 0,
  forFailures = false,
): boolean {
  // Comes after the encoding: a getter in the value may have used the map, or closed it.
  const engine = store.openToWrite()
  const expiry = store.announceExpiry(lifetime)
  const isKept = expiry !== NEVER && staleFor > 0
  const staleUntil = isKept ? markForFailures(expiry + staleFor, forFailures) : store.slideOf(lifetime)
  if (store.isObserved) {
    store.put(engine, key, encoder, mode, version, expiry, staleUntil, labelsOf(lifetime))
  } else {
    encoder.stage(engine)
    giveLabels(engine, labelsOf(lifetime))
    engine.put(key, encoder.kind, encoder.operand, mode | narrowness(encoder.operand), version, expiry, staleUntil)
  }
  const status = engine.result[RESULT_STATUS]
  if (status === DONE) return true
  if (status === NOT_DONE) return false
  throw engineError(engine, key)
}

/** The least length for which a look at all units of a string pays. */
const LONG_TEXT = 256
/** Matches a string that is not Latin-1. V8 answers without a scan for strings that it holds as Latin-1. */
const WIDE_UNIT = /[\u0100-\uffff]/

/** Returns PUT_NARROW if a value is a long string without wide units, else 0. */
function narrowness(value: unknown): number {
  return typeof value === 'string' && value.length >= LONG_TEXT && !WIDE_UNIT.test(value) ? PUT_NARROW : 0
}

/** Stores `value` and returns the value that was there before. */
export function swap<V>(store: Store<V>, key: Key, value: unknown, lifetime?: Lifetime): V | undefined {
  store.hotKeys.note(key)
  return exchange(store, key, value, PUT_ALWAYS | PUT_GIVEN, lifetime)
}

/**
 * Stores `value` if `mode` allows it, and returns the value that was there before. If a PUT_IF_ABSENT found nothing,
 * returns the value that is there now, as a reader will get it; without PUT_GIVEN also if it was not stored, because one of
 * its labels was invalidated while it was made.
 */
export function exchange<V>(
  store: Store<V>,
  given: Key,
  value: unknown,
  mode: number,
  lifetime?: Lifetime,
): V | undefined {
  store.openToWrite()
  const key = typeof given === 'object' ? ownKey(given) : given // as in write
  const encoder = store.encode(value)
  const engine = store.openToWrite()
  const expiry = store.announceExpiry(lifetime)
  const slide = store.slideOf(lifetime)
  try {
    return asOneCall(engine, () => {
      let previous: unknown
      do {
        encoder.stage(engine)
        giveLabels(engine, labelsOf(lifetime))
        previous = engine.put(key, encoder.kind, encoder.operand, mode | RETURN_PREVIOUS, 0, expiry, slide)
      } while (lackedRoom(engine))
      const before = previousOf(store, engine, key, previous)
      const inserts = (mode & PUT_CONDITION_MASK) === PUT_IF_ABSENT && engine.result[RESULT_PREVIOUS] === ABSENT
      return inserts ? store.decodeEncoded(encoder, value) : before
    })
  } finally {
    encoder.release()
  }
}

/** Deletes the entry of `key` if `mode` allows it; returns whether it did. */
export function deleteEntry(store: Store<unknown>, key: Key, mode: number, version?: number): boolean {
  store.hotKeys.note(key)
  return remove(store, key, mode, version)
}

/** Deletes as {@link deleteEntry} does, as a part of another call. */
export function remove(store: Store<unknown>, key: Key, mode: number, version = 0): boolean {
  const engine = store.openToWrite()
  engine.remove(key, mode, version)
  const status = engine.result[RESULT_STATUS]
  if (status < 0) throw engineError(engine, key)
  return status === DONE
}

/** Deletes the entry of `key` and returns its value. */
export function take<V>(store: Store<V>, key: Key, mode: number): V | undefined {
  const engine = store.openToWrite()
  store.hotKeys.note(key)
  return asOneCall(engine, () => {
    let previous: unknown
    do previous = engine.remove(key, mode | RETURN_PREVIOUS)
    while (lackedRoom(engine))
    return previousOf(store, engine, key, previous)
  })
}

/**
 * Adds `by` to the number under `key` and returns the sum; undefined if `mode` does not allow it. Afterwards
 * {@link Store.lastEntry} has its version and expiry.
 *
 * @param mode as for Engine.increment
 */
export function increment(
  store: Store<unknown>,
  key: Key,
  by: number,
  lifetime?: Lifetime,
  mode?: number,
): number | undefined {
  const engine = store.openToWrite()
  store.hotKeys.note(key)
  const expiry = store.announceExpiry(lifetime)
  giveLabels(engine, labelsOf(lifetime))
  const sum = engine.increment(key, by, expiry, mode)
  const status = engine.result[RESULT_STATUS]
  if (status === NOT_A_COUNTER) throw lostType(store, key)
  if (status < 0) throw engineError(engine, key)
  return status === DONE ? sum : undefined
}

/**
 * Stores an encoded value under the key held, and lets go. Returns false if there is no room without a cleanup, or if
 * the entry read has expired meanwhile.
 */
export function writeHeld(store: Store<unknown>, key: Key, encoder: ValueEncoder, lifetime?: Lifetime): boolean {
  const engine = store.openToWrite()
  encoder.stage(engine)
  giveLabels(engine, labelsOf(lifetime))
  engine.putHeld(key, encoder.kind, encoder.operand, store.endOf(lifetime), store.slideOf(lifetime))
  const status = engine.result[RESULT_STATUS]
  if (status !== DONE && status !== FULL && status !== NOT_DONE) throw engineError(engine, key)
  return status === DONE
}

/** Deletes the entry of the key held, and lets go. */
export function removeHeld(store: Store<unknown>, key: Key): void {
  const engine = store.openToWrite()
  engine.removeHeld(key)
  const status = engine.result[RESULT_STATUS]
  // What has expired meanwhile is as good as deleted.
  if (status !== DONE && status !== NOT_DONE) throw engineError(engine, key)
}

/** Returns the value that a write with RETURN_PREVIOUS found. */
function previousOf<V>(store: Store<V>, engine: Engine, key: Key, previous: unknown): V | undefined {
  const status = engine.result[RESULT_STATUS]
  if (status !== DONE && status !== NOT_DONE) throw engineError(engine, key)
  return engine.result[RESULT_PREVIOUS] === ENCODED ? store.decodeScratch(engine) : (previous as V | undefined)
}
