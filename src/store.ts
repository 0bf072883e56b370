import type { Key } from './codec/key.js'
import { encodeValue, ValueDecoder, type ValueEncoder } from './codec/value.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FOUND,
  FULL,
  NOT_DONE,
  PUT_IF_ABSENT,
  RESULT_HOME,
  RESULT_HOME_VERSION,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  RETURN_PREVIOUS,
  SCRATCH_TOO_SMALL,
  UNCHANGED,
  type Engine,
} from './engine/engine.js'
import { engineError } from './engine/engine-error.js'
import { MapsafeError } from './errors.js'
import { HotKeys } from './hot-keys.js'
import { NearCache, type NearEntry } from './near-cache.js'
import { refuseReentry } from './reentry.js'
import { BLOCK_WORDS } from './region/layout.js'

/** Encoded bytes above which a value is not kept in the near-cache, whose bound is a number of entries. */
const MAX_NEAR_BYTES = 65_536

/**
 * One thread's way to a map: engine, codec and near-cache put together. The public classes are its documentation and its
 * arguments' guards.
 *
 * Thread safety: one thread.
 */
export class Store<V> {
  /** Told of every operation on one key that goes to the engine. */
  readonly hotKeys = new HotKeys()
  #engine: Engine | undefined
  #near: NearCache | undefined
  readonly #decoder: ValueDecoder

  /** @param nearEntries capacity of the near-cache, or 0 for none */
  constructor(engine: Engine, freeze: boolean, nearEntries: number) {
    this.#engine = engine
    this.#near = nearEntries === 0 ? undefined : new NearCache(engine.words, nearEntries)
    this.#decoder = new ValueDecoder(freeze)
  }

  /** The engine; throws ERR_MAPSAFE_CLOSED after {@link Store.close}. */
  open(): Engine {
    if (this.#engine === undefined) {
      throw new MapsafeError(
        'ERR_MAPSAFE_CLOSED',
        'This map was closed by this thread. Open it again with ConcurrentMap.attach(map.handle).',
      )
    }
    return this.#engine
  }

  /** As {@link Store.open}, for a write: also throws ERR_MAPSAFE_REENTRANT where a write is refused. */
  openToWrite(): Engine {
    const engine = this.open()
    refuseReentry(engine)
    return engine
  }

  /** Closes the engine and returns it, or undefined if that was done before. */
  close(): Engine | undefined {
    const engine = this.#engine
    this.#engine = undefined
    this.#near = undefined
    engine?.close()
    return engine
  }

  /** What the near-cache knows for certain about `key`. */
  near(key: Key): NearEntry | undefined {
    return this.#near?.hit(key)
  }

  /** The value of `key`, from the near-cache if it is current there; undefined if there is no entry. */
  get(key: Key): V | undefined {
    const hit = this.#near?.hit(key)
    return hit === undefined ? this.read(key) : (hit.value as V | undefined)
  }

  /** Whether there is an entry for `key`. */
  has(key: Key): boolean {
    const hit = this.#near?.hit(key)
    if (hit !== undefined) return hit.present
    const engine = this.open()
    this.hotKeys.note(key)
    engine.peek(key)
    const status = engine.result[RESULT_STATUS]
    if (status < 0) throw engineError(engine, key)
    return status === FOUND
  }

  /** The value of `key` as the engine has it; remembered in the near-cache. {@link Store.found} tells undefined from absent. */
  read(key: Key): V | undefined {
    const engine = this.open()
    this.hotKeys.note(key)
    const near = this.#near
    if (near === undefined || typeof key === 'object') return this.#read(engine, key, undefined)
    const known = near.find(key)
    const value = this.#read(engine, key, known)
    const { result } = engine
    const kind = result[RESULT_STATUS]
    // An object is shared by all who read it here, so it must be one that nobody can change.
    const keep =
      (kind !== ENCODED || this.#decoder.immutable) && (kind === ABSENT || result[RESULT_LENGTH] <= MAX_NEAR_BYTES)
    if (keep) {
      const home = (result[RESULT_HOME] >>> 0) * BLOCK_WORDS
      near.store(key, home, result[RESULT_HOME_VERSION], kind !== ABSENT, value, kind === ABSENT ? 0 : this.version)
    } else if (known !== undefined) {
      near.drop(known)
    }
    return value
  }

  /** As {@link Store.read}, but leaves the near-cache as it is: for walks over many keys. */
  readPassing(key: Key): V | undefined {
    return this.#read(this.open(), key, undefined)
  }

  /** Value and version of the entry of `key` in one instant; undefined if there is none. Leaves the near-cache as it is. */
  entry(key: Key): { readonly value: V; readonly version: number } | undefined {
    const hit = this.#near?.hit(key)
    if (hit !== undefined) return hit.present ? { value: hit.value as V, version: hit.entryVersion } : undefined
    this.hotKeys.note(key)
    const value = this.readPassing(key)
    return this.found ? { value: value as V, version: this.version } : undefined
  }

  /** Whether the last read found an entry. */
  get found(): boolean {
    return this.open().result[RESULT_STATUS] !== ABSENT
  }

  /** Version of the entry that the last read found or the last write wrote. */
  get version(): number {
    const { result } = this.open()
    return (result[RESULT_VERSION_LOW] >>> 0) + result[RESULT_VERSION_HIGH] * 2 ** 32
  }

  /** Stores `value` if `mode` allows it; returns whether it did. */
  put(key: Key, value: unknown, mode: number, version?: number): boolean {
    this.openToWrite()
    const encoder = encodeValue(value)
    try {
      return this.putEncoded(key, encoder, mode, version)
    } finally {
      encoder.release()
    }
  }

  /** As {@link Store.put}, of a value that is encoded already. */
  putEncoded(key: Key, encoder: ValueEncoder, mode: number, version = 0): boolean {
    // Not before the encoding: a getter in the value may have used the map, or closed it.
    const engine = this.openToWrite()
    encoder.stage(engine)
    this.hotKeys.note(key)
    engine.put(key, encoder.kind, encoder.operand, mode, version)
    const status = engine.result[RESULT_STATUS]
    if (status === DONE) return true
    if (status === NOT_DONE) return false
    throw engineError(engine, key)
  }

  /**
   * Stores `value` if `mode` allows it, and returns what was there before. If a PUT_IF_ABSENT found nothing, what is there now,
   * as a reader will get it.
   */
  exchange(key: Key, value: unknown, mode: number): V | undefined {
    this.openToWrite()
    const encoder = encodeValue(value)
    const engine = this.openToWrite()
    this.hotKeys.note(key)
    try {
      for (;;) {
        encoder.stage(engine)
        const previous = engine.put(key, encoder.kind, encoder.operand, mode | RETURN_PREVIOUS, 0)
        if (!this.#settled(engine, key)) continue
        return mode === PUT_IF_ABSENT && engine.result[RESULT_STATUS] === DONE
          ? this.decodeEncoded(encoder, value)
          : this.#previous(engine, previous)
      }
    } finally {
      encoder.release()
    }
  }

  /** The value of which an engine told kind and bytes: the first `length` of `bytes`. */
  decode(kind: number, bytes: Uint8Array, length: number): V {
    return this.#decoder.decode(kind, bytes, length) as V
  }

  /** As {@link Store.decode}, of all of `bytes` and for any value kind of the region format. */
  decodeAny(kind: number, bytes: Buffer): V {
    return this.#decoder.decodeAny(kind, bytes) as V
  }

  /** What a reader gets of `value`, which was encoded last. */
  decodeEncoded(encoder: ValueEncoder, value: unknown): V {
    return encoder.decode(this.#decoder, value) as V
  }

  /**
   * Value and version of the entry of `key`, undefined if there is none, and holds the key: nobody else can write it until
   * {@link Store.putHeld}, {@link Store.removeHeld} or {@link Store.letGo}. Meanwhile the map may only be read.
   */
  hold(key: Key): { readonly value: V; readonly version: number } | undefined {
    const engine = this.openToWrite()
    for (;;) {
      const value = engine.hold(key)
      switch (engine.result[RESULT_STATUS]) {
        case FOUND:
          return { value: value as V, version: this.version }
        case ENCODED:
          return { value: this.#decode(engine), version: this.version }
        case ABSENT:
          return undefined
        case SCRATCH_TOO_SMALL:
          engine.growScratch(engine.result[RESULT_LENGTH] >>> 0)
          break
        default:
          throw engineError(engine, key)
      }
    }
  }

  /** Stores an encoded value under the key held, and lets go. False if there is no room without a cleanup. */
  putHeld(key: Key, encoder: ValueEncoder): boolean {
    const engine = this.openToWrite()
    encoder.stage(engine)
    engine.putHeld(key, encoder.kind, encoder.operand)
    const status = engine.result[RESULT_STATUS]
    if (status !== DONE && status !== FULL) throw engineError(engine, key)
    return status === DONE
  }

  /** Deletes the entry of the key held, and lets go. */
  removeHeld(key: Key): void {
    const engine = this.openToWrite()
    engine.removeHeld(key)
    if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine, key)
  }

  /** Lets go of the key held, if there is one. */
  letGo(): void {
    this.#engine?.letGo()
  }

  /** Deletes the entry of `key` if `mode` allows it; returns whether it did. */
  remove(key: Key, mode: number, version = 0): boolean {
    const engine = this.openToWrite()
    this.hotKeys.note(key)
    engine.remove(key, mode, version)
    const status = engine.result[RESULT_STATUS]
    if (status < 0) throw engineError(engine, key)
    return status === DONE
  }

  /** Deletes the entry of `key` and returns its value. */
  take(key: Key, mode: number): V | undefined {
    const engine = this.openToWrite()
    this.hotKeys.note(key)
    for (;;) {
      const previous = engine.remove(key, mode | RETURN_PREVIOUS)
      if (this.#settled(engine, key)) return this.#previous(engine, previous)
    }
  }

  /** Adds `by` to the number under `key` and returns the sum. */
  increment(key: Key, by: number): number {
    const engine = this.openToWrite()
    this.hotKeys.note(key)
    const sum = engine.increment(key, by)
    if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine, key)
    return sum
  }

  /** Deletes every entry, one segment after the other. */
  clear(): void {
    const engine = this.openToWrite()
    engine.clear()
    if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
  }

  /** Copies all entries as they are at one instant; see {@link Engine.snapshot}. */
  snapshot(): { readonly pieces: readonly Int32Array<ArrayBuffer>[]; readonly size: number } {
    // Like a write: it waits for keys that a function deciding about a write may hold.
    const engine = this.openToWrite()
    const pieces = engine.snapshot()
    if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
    return { pieces, size: engine.result[RESULT_LENGTH] >>> 0 }
  }

  #read(engine: Engine, key: Key, known: NearEntry | undefined): V | undefined {
    for (;;) {
      const value =
        known === undefined || known.entryVersion === 0 ? engine.get(key) : engine.getIfChanged(key, known.entryVersion)
      switch (engine.result[RESULT_STATUS]) {
        case FOUND:
          return value as V
        case UNCHANGED:
          engine.result[RESULT_LENGTH] = 0 // it was small enough to be kept
          return known?.value as V
        case ENCODED:
          return this.#decode(engine)
        case ABSENT:
          return undefined
        case SCRATCH_TOO_SMALL:
          engine.growScratch(engine.result[RESULT_LENGTH] >>> 0)
          break
        default:
          throw engineError(engine, key)
      }
    }
  }

  /** Whether a write that returns the previous value went through; if not, the scratch buffer has room for that value now. */
  #settled(engine: Engine, key: Key): boolean {
    const status = engine.result[RESULT_STATUS]
    if (status === DONE || status === NOT_DONE) return true
    if (status !== SCRATCH_TOO_SMALL) throw engineError(engine, key)
    engine.growScratch(engine.result[RESULT_LENGTH] >>> 0)
    return false
  }

  #previous(engine: Engine, previous: unknown): V | undefined {
    return engine.result[RESULT_PREVIOUS] === ENCODED ? this.#decode(engine) : (previous as V | undefined)
  }

  /** The value whose bytes the last call left in the scratch buffer. */
  #decode(engine: Engine): V {
    const { result, scratch } = engine
    return this.decode(result[RESULT_KIND], scratch, result[RESULT_LENGTH] >>> 0)
  }
}
