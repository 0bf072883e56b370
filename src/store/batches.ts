import { KeyBuffer, ownKey, type Key } from '../format/key.js'
import {
  DONE,
  ENTRY_TOO_LARGE,
  KEY_TYPE,
  PUT_ALWAYS,
  PUT_GIVEN,
  RESULT_LENGTH,
  RESULT_STATUS,
  VALUE_RECORD_WORDS,
  type Engine,
} from '../engine/engine.js'
import { NEVER } from '../format/entry.js'
import { engineError } from '../engine/engine-error.js'
import { asOneCall } from '../engine/one-call.js'
import { makeRoom } from '../codec/scratch.js'
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import { isUint8Array } from '../platform/brands.js'
import { giveLabels } from './give-labels.js'
import { labelsOf, type Lifetime } from './lifetime.js'
import { lackedRoom } from './room.js'
import type { Staged } from './staged.js'
import type { Store, StoredEntry } from './store.js'
import { remove } from './writes.js'
import { wrongInput } from '../base/arguments.js'

const INITIAL_BYTES = 4096
const HEAD_BYTES = VALUE_RECORD_WORDS * 4

/**
 * Returns the values of `keys`, in their order; undefined for a key without an entry. Keys that the near-cache can
 * answer need no engine. Values from the engine are not remembered: a batch over many keys would drive out entries that
 * are read again.
 */
export function getMany<V>(store: Store<V>, keys: Iterable<Key>): (V | undefined)[] {
  const given = keysOf(keys)
  // An observer notes the version of each value, which the engine does not tell of many.
  if (store.isObserved) return asOneCall(store.open(), () => given.map((key) => store.getEntryOfMany(key)?.value))
  const values = new Array<V | undefined>(given.length)
  store.open()
  // A batch does not tell which entries reads renew.
  if (store.mayRenew) return given.map((key) => store.getEntryOfMany(key)?.value)
  const missing: number[] = []
  for (let i = 0; i < given.length; i++) {
    const near = store.near(given[i])
    if (near === undefined) missing.push(i)
    else values[i] = near.value as V | undefined
  }
  const found = readMany(store, missing.length === given.length ? given : missing.map((i) => given[i]))
  for (let i = 0; i < missing.length; i++) values[missing[i]] = found[i]
  return values
}

/** Stands for an entry that is not there, until it is counted. */
const NONE = Symbol('none')

function readMany<V>(store: Store<V>, keys: readonly Key[]): (V | undefined)[] {
  const values = new Array<V | typeof NONE | undefined>(keys.length).fill(NONE)
  const engine = store.open()
  asOneCall(engine, () => {
    for (let from = 0; from < keys.length;) {
      let next: number
      do next = engine.getMany(keys, values, from)
      while (lackedRoom(engine))
      if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine, keys[next])
      decodeRecords(store, engine, values)
      from = next
    }
  })
  for (let i = 0; i < values.length; i++) {
    store.reads.countFar(engine.words, values[i] !== NONE)
    if (values[i] === NONE) values[i] = undefined
  }
  return values as (V | undefined)[]
}

function decodeRecords<V>(store: Store<V>, engine: Engine, values: unknown[]): void {
  const { scratch } = engine
  const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)
  let at = 0
  for (let left = engine.result[RESULT_LENGTH]; left > 0; left--) {
    const length = view.getUint32(at + 8, true)
    const bytes = scratch.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length)
    values[view.getUint32(at, true)] = store.decode(view.getUint32(at + 4, true), bytes, length)
    at += HEAD_BYTES + padded(length)
  }
}

/** Returns whether there are entries for `keys`, in their order. Not counted as reads. */
export function hasMany<V>(store: Store<V>, keys: Iterable<Key>): boolean[] {
  const given = keysOf(keys)
  return asOneCall(store.open(), () => given.map((key) => store.knows(key) ?? store.hasPassing(key)))
}

/** Returns the entries of `keys`, in their order; undefined for a key without one. Reads as {@link getMany} does. */
export function getEntries<V>(store: Store<V>, keys: Iterable<Key>): (StoredEntry<V> | undefined)[] {
  const given = keysOf(keys)
  return asOneCall(store.open(), () => given.map((key) => store.getEntryOfMany(key)))
}

/**
 * Stores `entries` one after the other. Nothing is stored if one of the keys or values cannot be stored.
 *
 * @param lifetimeOf returns when an entry expires, by its third element; see Store.write
 */
export function setMany<V>(
  store: Store<V>,
  entries: Iterable<readonly [Key, unknown, unknown?]>,
  lifetimeOf?: (options: unknown) => Lifetime | undefined,
): void {
  store.openToWrite()
  const batch = new Batch()
  checkIterable('entries', entries)
  for (const entry of entries as Iterable<unknown>) {
    if (typeof entry !== 'object' || entry === null) throw notPairs(entry)
    const { 0: key, 1: value, 2: options } = entry as readonly [Key, unknown, unknown?]
    // A missing property 0 means an object of another shape, not an entry of the key undefined, which is no key.
    if ((key as unknown) === undefined && !(0 in entry)) throw notPairs(entry)
    batch.add(store, key, value, () => lifetimeOf?.(options))
  }
  const engine = store.openToWrite()
  asOneCall(engine, () => {
    if (store.isObserved) {
      setEach(store, engine, batch)
      return
    }
    for (let from = 0; from < batch.keys.length;) {
      const lifetime = batch.lifetimes[from]
      const slide = store.slideOf(lifetime)
      const to = batch.stage(engine, from, slide === NEVER ? batch.keys.length : from + 1)
      const expiry = store.announceExpiry(lifetime, to - from)
      let next = from
      giveLabels(engine, labelsOf(lifetime))
      if (slide === NEVER) next = engine.putMany(batch.keys, batch.kinds, batch.operands, from, to, expiry)
      else
        engine.put(batch.keys[from], batch.kinds[from], batch.operands[from], PUT_ALWAYS | PUT_GIVEN, 0, expiry, slide)
      if (engine.result[RESULT_STATUS] !== DONE) throw stopped(engineError(engine, batch.keys[next]), next)
      from = to
    }
  })
}

/** Stores the entries of a batch with a call of {@link Store.put} for each. */
function setEach<V>(store: Store<V>, engine: Engine, batch: Batch): void {
  for (let i = 0; i < batch.keys.length; i++) {
    const lifetime = batch.lifetimes[i]
    const slide = store.slideOf(lifetime)
    const expiry = store.announceExpiry(lifetime)
    store.put(engine, batch.keys[i], batch.entry(i), PUT_ALWAYS | PUT_GIVEN, 0, expiry, slide, labelsOf(lifetime))
    if (engine.result[RESULT_STATUS] !== DONE) throw stopped(engineError(engine, batch.keys[i]), i)
  }
}

/** Deletes the entries of `keys`, and returns how many it deleted. Nothing is deleted if one of them is no key. */
export function deleteMany<V>(store: Store<V>, keys: Iterable<Key>): number {
  store.openToWrite()
  const given = keysOf(keys)
  const engine = store.openToWrite()
  for (const key of given) checkKey(engine, key)
  const next = asOneCall(engine, () => engine.removeMany(given))
  if (engine.result[RESULT_STATUS] !== DONE) throw stopped(engineError(engine, given[next]), next)
  return engine.result[RESULT_LENGTH]
}

/** Deletes as {@link deleteMany} does, and returns for each key whether there was an entry. */
export function deleteEach<V>(store: Store<V>, keys: Iterable<Key>): boolean[] {
  store.openToWrite()
  const given = keysOf(keys)
  const engine = store.openToWrite()
  for (const key of given) checkKey(engine, key)
  const deleted: boolean[] = []
  asOneCall(engine, () => {
    try {
      for (const key of given) deleted.push(remove(store, key, PUT_ALWAYS))
    } catch (error) {
      throw stopped(error as Error, deleted.length)
    }
  })
  return deleted
}

/** Entries encoded and ready to be stored. */
class Batch {
  readonly keys: Key[] = []
  /** How long each lives, in the form of Store.write. */
  readonly lifetimes: (Lifetime | undefined)[] = []
  readonly kinds: number[] = []
  readonly operands: unknown[] = []
  /** The bytes of the encoded values, one after the other, each padded to a word. */
  private bytes = new Uint8Array(INITIAL_BYTES)
  private used = 0
  /** Where the bytes of each entry begin; the last element is where they end. */
  private readonly offsets = [0]

  add<V>(store: Store<V>, given: Key, value: unknown, chooseLifetime: () => Lifetime | undefined): void {
    const key = ownKey(given) // a getter in a value may change it, or the iterator may
    checkKey(store.open(), key)
    this.lifetimes.push(chooseLifetime())
    const encoder = store.encode(value)
    const end = this.used + padded(encoder.byteLength)
    if (end > this.bytes.length) this.grow(end)
    encoder.copyTo(this.bytes, this.used)
    this.used = end
    this.keys.push(key)
    this.kinds.push(encoder.kind)
    this.operands.push(encoder.operand)
    this.offsets.push(end)
    encoder.release()
  }

  /**
   * Puts the bytes of entries from `from` on into the scratch buffer, and returns the index of the first entry that
   * does not fit, or lives for another time; `end` at most.
   */
  stage(engine: Engine, from: number, end: number): number {
    const { offsets } = this
    const start = offsets[from]
    makeRoom(engine, offsets[from + 1] - start)
    const most = engine.scratch.length
    let to = from + 1
    const isNext = (): boolean => offsets[to + 1] - start <= most && this.lifetimes[to] === this.lifetimes[from]
    while (to < end && isNext()) to++
    engine.scratch.set(this.bytes.subarray(start, offsets[to]))
    return to
  }

  /** Returns the value of one entry, to be stored by itself. */
  entry(i: number): Staged {
    const bytes = this.bytes.subarray(this.offsets[i], this.offsets[i + 1])
    const stage = (engine: Engine): void => {
      makeRoom(engine, bytes.length)
      engine.scratch.set(bytes)
    }
    return { kind: this.kinds[i], operand: this.operands[i], stage }
  }

  private grow(bytes: number): void {
    const grown = new Uint8Array(Math.max(bytes, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.used))
    this.bytes = grown
  }
}

const keyBuffer = new KeyBuffer()

/** @throws MapsafeError the error that a call with `key` throws */
function checkKey(engine: Engine, key: Key): void {
  if (typeof key === 'number' || keyBuffer.encode(key)) return
  throw engineError(engine, key, keyBuffer.kind === 0 ? KEY_TYPE : ENTRY_TOO_LARGE)
}

/** Copies each key when the iterable yields it: it may yield one array again and again. */
export function keysOf(given: Iterable<Key>): Key[] {
  checkIterable('keys', given)
  // No Array.from: a processor waits for the memory of many strings at once only within a loop that is compiled.
  const keys: Key[] = []
  for (const key of given) keys.push(ownKey(key))
  return keys
}

function checkIterable(name: 'keys' | 'entries', given: Partial<Iterable<unknown>> | null | undefined): void {
  const expected =
    name === 'keys' ? 'an iterable object of keys, like an array' : 'an iterable object of pairs of key and value'
  // A string or Uint8Array is iterable, but is meant as one key; its characters or bytes must not be taken for keys.
  if (typeof given === 'string' || isUint8Array(given)) {
    throw wrongInput(`Argument ${name}`, given, `${expected}; put a single one into an array`)
  }
  if (typeof given?.[Symbol.iterator] !== 'function') throw wrongInput(`Argument ${name}`, given, expected)
}

function notPairs(entry: unknown): Error {
  return new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `Argument entries has ${describe(entry)} in it; expected pairs of key and value, like [key, value].`,
  )
}

function stopped(error: Error, completed: number): Error {
  return Object.defineProperty(error, 'completed', { value: completed, enumerable: true })
}

function padded(bytes: number): number {
  return Math.ceil(bytes / 4) * 4
}
