import { bytesOf } from '../base/views.js'
import { ownKey, type Key } from '../format/key.js'
import { captureContext } from '../platform/context.js'
import type { ValueEncoder } from '../codec/value.js'
import { MapsafeError } from '../base/errors.js'
import { addToCounter } from '../format/counters.js'
import { COUNTER_LOAD_FAILURES, COUNTER_LOADS } from '../format/layout.js'
import { recordOf } from '../format/thread-record.js'
import { asOneCall } from '../engine/one-call.js'
import type { Store } from '../store/store.js'
import type { Caller } from './callers.js'
import { KeyLoad, type LoadHost } from './key-load.js'
import { Leases } from './leases.js'
import { LoaderCall } from './loader-call.js'
import type { LoadContext, ResolvedLoadOptions } from './options.js'
import { Owners } from './owner.js'
import { loadOfCall, Wait } from './running-loads.js'
import { addAbortListener, reasonOf, removeAbortListener } from '../base/signal.js'
import { WakeUps, type Watch } from './wake-ups.js'
import { Buffer } from '../platform/buffer.js'

/** Stores a loaded value in place of the entry with `version`. @returns whether that entry was still there */
export type StoreLoaded = (key: Key, encoder: ValueEncoder, version: number) => boolean

/**
 * The loads of one thread's cache: for each key at most one key load that takes new calls, and perhaps older ones that
 * a write overtook and that are not over yet.
 *
 * Thread safety: one thread.
 */
export class Loads<V> implements LoadHost<V> {
  readonly leases: Leases<V>
  readonly mark: number
  readonly memory: ArrayBufferLike
  /**
   * The key loads that take calls, by key; a `Uint8Array`, which a `Map` compares by identity, is represented by its
   * bytes.
   */
  readonly #keyLoads = new Map<Key, KeyLoad<V>>()
  readonly #byteKeyLoads = new Map<string, KeyLoad<V>>()
  readonly #all = new Set<KeyLoad<V>>()
  readonly #owners: Owners
  readonly #wakeUps: WakeUps
  #number = 0
  #isClosed = false

  constructor(private readonly store: Store<V>) {
    this.leases = new Leases(store)
    const engine = store.open()
    this.mark = engine.mark
    this.memory = engine.words.buffer
    this.#owners = new Owners(engine)
    this.#wakeUps = new WakeUps(engine)
  }

  /**
   * Waits for the value of `key`, or loads it if no load is under way.
   *
   * @param storeLoaded called once, if this call's loader runs and returns a value
   */
  load<K extends Key>(
    key: K,
    loader: (key: K, context: LoadContext) => unknown,
    { timeout, negativeTtl, signal }: ResolvedLoadOptions,
    storeLoaded: StoreLoaded,
  ): Promise<V> {
    const by = loadOfCall()
    let wait: Wait | undefined
    const promise = new Promise<V>((resolve, reject) => {
      // A closed cache refuses the call before it can affect a key load in which other calls wait.
      if (this.#isClosed) throw closed()
      this.store.openToWrite()
      const onAbort = (): void => {
        keyLoad.leave(caller, signal && reasonOf(signal))
      }
      const forget = (): void => {
        wait?.end()
        if (signal !== undefined) removeAbortListener(signal, onAbort)
      }
      if (signal !== undefined) addAbortListener(signal, onAbort)
      const keyLoad = this.#keyLoadOf(key)
      const caller: Caller<V> = {
        loader,
        inContext: captureContext(),
        timeout,
        negativeTtl,
        store: (encoder, version) => storeLoaded(keyLoad.key, encoder, version),
        resolve: (value) => {
          forget()
          resolve(value)
        },
        reject: (reason) => {
          forget()
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the loader threw
          reject(reason)
        },
      }
      if (by !== undefined) {
        wait = new Wait(by, keyLoad, (reason) => {
          keyLoad.leave(caller, reason)
        })
      }
      keyLoad.join(caller)
    })
    return wait === undefined ? promise : LoaderCall.of(promise, wait)
  }

  /** Rejects every waiting call, and those to come. Called before the engine is closed. */
  close(): void {
    // Set before the listeners of a loader's signal run, which might load again.
    this.#isClosed = true
    const reason = closed()
    for (const keyLoad of [...this.#all]) keyLoad.close(reason)
    this.#wakeUps.close()
  }

  isAlive(mark: number, now?: boolean): boolean {
    return this.#owners.isAlive(mark, now)
  }

  announce(key: Key, wake: () => void): Watch | undefined {
    return this.#wakeUps.announce(key, wake)
  }

  leave(watch: Watch, wake: () => void): void {
    this.#wakeUps.leave(watch, wake)
  }

  now(): number {
    return this.store.now()
  }

  takeNumber(): number {
    return this.#number++ >>> 0
  }

  countLoad(): void {
    this.#count(COUNTER_LOADS)
  }

  countFailure(): void {
    this.#count(COUNTER_LOAD_FAILURES)
  }

  encode(value: unknown): ValueEncoder {
    return this.store.encode(value)
  }

  decode(encoder: ValueEncoder, value: unknown): V {
    return this.store.decodeEncoded(encoder, value)
  }

  asOneCall(run: () => void): void {
    // A load that ends after the cache was closed writes nothing.
    if (this.store.isClosed) run()
    else asOneCall(this.store.open(), run)
  }

  finished(keyLoad: KeyLoad<V>): void {
    this.#all.delete(keyLoad)
    const { key } = keyLoad
    if (typeof key === 'object') {
      const bytes = textOf(key)
      if (this.#byteKeyLoads.get(bytes) === keyLoad) this.#byteKeyLoads.delete(bytes)
    } else if (this.#keyLoads.get(key) === keyLoad) this.#keyLoads.delete(key)
  }

  #count(counter: number): void {
    addToCounter(this.store.open().words, recordOf(this.mark), counter, 1)
  }

  #keyLoadOf(key: Key): KeyLoad<V> {
    const known = typeof key === 'object' ? this.#byteKeyLoads.get(textOf(key)) : this.#keyLoads.get(key)
    if (known?.takesCallers() === true) return known
    // The key is copied: a `Uint8Array` may change while the load lasts.
    const keyLoad = new KeyLoad(ownKey(key), this)
    this.#all.add(keyLoad)
    if (typeof key === 'object') this.#byteKeyLoads.set(textOf(key), keyLoad)
    else this.#keyLoads.set(key, keyLoad)
    return keyLoad
  }
}

function textOf(key: Uint8Array): string {
  const { buffer, byteOffset, length } = bytesOf(key)
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

function closed(): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_CLOSED',
    'This cache was closed by this thread while the call waited for a value to be loaded.',
  )
}
