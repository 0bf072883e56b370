import { ownKey, type Key } from '../format/key.js'
import { captureContext } from '../platform/context.js'
import type { ValueEncoder } from '../codec/value.js'
import { MapsafeError } from '../base/errors.js'
import { addToCounter } from '../format/counters.js'
import {
  COUNTER_LOAD_FAILURES,
  COUNTER_LOADS,
  COUNTER_LOADS_REFUSED,
  COUNTER_STALE_ON_ERROR,
} from '../format/layout.js'
import { countLoadTime } from '../format/load-times.js'
import { recordOf } from '../format/thread-record.js'
import { asOneCall } from '../engine/one-call.js'
import type { Labels } from '../format/labels.js'
import type { Store } from '../store/store.js'
import { Breaker, type ResolvedBreakerOptions, type SharedPass } from './breaker.js'
import type { Caller } from './callers.js'
import { forcedKey } from './forced-key.js'
import { KeyLoad } from './key-load.js'
import { KeyMap } from './key-map.js'
import { Leases } from './leases.js'
import type { LoadHost } from './load-host.js'
import { LoaderCall } from './loader-call.js'
import type { ResolvedLoadOptions } from './options.js'
import { Owners } from './owner.js'
import { loadOfCall, Wait } from './running-loads.js'
import { addAbortListener, reasonOf, removeAbortListener } from '../base/signal.js'
import { WakeUps, type Watch } from './wake-ups.js'

/**
 * Stores a loaded value in place of the entry with `version`.
 *
 * @param ttl how long it lives, if its loader said so
 * @returns whether that entry was still there
 */
export type StoreLoaded = (
  key: Key,
  encoder: ValueEncoder,
  version: number,
  ttl: number | undefined,
  labels: Labels | undefined,
) => boolean

/** One call's wish for the value of a key. */
export interface Request<K extends Key> {
  readonly loader: (key: K, context: never) => unknown
  readonly options: ResolvedLoadOptions
  /** How long the value lives unless the loader says otherwise, in milliseconds. */
  readonly ttl: number
  /** Called once, if this call's loader runs and returns a value. */
  readonly store: StoreLoaded
  /** As in {@link Caller}. */
  readonly labels: () => Labels | undefined
  readonly sharedPass?: SharedPass
}

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
  /** The key loads that take calls, by key; those of calls with `forceRefresh` apart. */
  readonly #keyLoads = new KeyMap<KeyLoad<V>>()
  readonly #forced = new KeyMap<KeyLoad<V>>()
  readonly #all = new Set<KeyLoad<V>>()
  readonly #owners: Owners
  readonly #wakeUps: WakeUps
  #number = 0
  #isClosed = false

  readonly breaker: Breaker | undefined

  constructor(
    private readonly store: Store<V>,
    breaker: ResolvedBreakerOptions | undefined,
  ) {
    this.leases = new Leases(store)
    const engine = store.open()
    this.mark = engine.mark
    this.memory = engine.words.buffer
    this.#owners = new Owners(engine)
    this.#wakeUps = new WakeUps(engine)
    this.breaker = breaker && new Breaker(engine.words, breaker, () => this.now())
  }

  /** Waits for the value of `key`, or loads it if no load is under way. */
  load<K extends Key>(key: K, request: Request<K>): Promise<V> {
    return this.loadPart(key, request, undefined) as Promise<V>
  }

  /**
   * Waits for the values of `keys`, or loads those that no load is under way for.
   *
   * @param found tells the entry of a key that needs no load, by its index
   * @param begin called when all loads of this call have begun
   */
  async loadMany<K extends Key>(
    keys: readonly K[],
    found: (index: number) => { readonly value: V } | undefined,
    request: Request<K>,
    begin: () => void,
  ): Promise<(V | undefined)[]> {
    const { signal } = request.options
    const leaves: ((reason: unknown) => void)[] = []
    // One listener for all keys.
    const onAbort = (): void => {
      for (const leave of leaves) leave(signal && reasonOf(signal))
    }
    if (signal !== undefined) addAbortListener(signal, onAbort)
    const part = { ...request, options: { ...request.options, signal: undefined } }
    try {
      const values = keys.map((key, index) => {
        const entry = found(index)
        return entry === undefined ? this.loadPart(key, part, (leave) => leaves.push(leave)) : entry.value
      })
      begin()
      return await Promise.all(values)
    } finally {
      if (signal !== undefined) removeAbortListener(signal, onAbort)
    }
  }

  /**
   * Is {@link Loads.load} for one key of a call of many: gives undefined if a load of many keys finds no value.
   *
   * @param onJoin gets a function that rejects this part of the call, if it still waits
   */
  loadPart<K extends Key>(
    key: K,
    { loader, options, ttl, store, labels, sharedPass }: Request<K>,
    onJoin: ((leave: (reason: unknown) => void) => void) | undefined,
  ): Promise<V | undefined> {
    const { timeout, negativeTtl, staleWhileRevalidate, staleIfError, forceRefresh, signal } = options
    // A part of a call is awaited by the call, which its own caller may not await.
    const by = onJoin === undefined ? loadOfCall() : undefined
    let wait: Wait | undefined
    const promise = new Promise<V | undefined>((resolve, reject) => {
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
      const keyLoad = this.#keyLoadOf(key, forceRefresh)
      const caller: Caller<V> = {
        loader,
        inContext: captureContext(),
        timeout,
        negativeTtl,
        takesStale: !forceRefresh,
        staleWhileRevalidate,
        staleIfError,
        ttl,
        store: (encoder, version, ownTtl, own) => store(keyLoad.key, encoder, version, ownTtl, own),
        labels,
        resolve: (value) => {
          forget()
          resolve(value)
        },
        reject: (reason) => {
          forget()
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever the loader threw
          reject(reason)
        },
        sharedPass,
        resolveMissing: onJoin === undefined ? undefined : () => resolve(undefined),
      }
      if (by !== undefined) {
        wait = new Wait(by, keyLoad, (reason) => {
          keyLoad.leave(caller, reason)
        })
      }
      onJoin?.((reason) => keyLoad.leave(caller, reason))
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

  countTime(milliseconds: number): void {
    if (!this.store.isClosed) countLoadTime(this.store.open().words, milliseconds)
  }

  countRefusal(): void {
    this.#count(COUNTER_LOADS_REFUSED)
  }

  countRescue(): void {
    this.#count(COUNTER_STALE_ON_ERROR)
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
    const keyLoads = keyLoad.isForced ? this.#forced : this.#keyLoads
    keyLoads.delete(keyLoad.key, keyLoad)
  }

  #count(counter: number): void {
    addToCounter(this.store.open().words, recordOf(this.mark), counter, 1)
  }

  #keyLoadOf(key: Key, isForced: boolean): KeyLoad<V> {
    const keyLoads = isForced ? this.#forced : this.#keyLoads
    const known = keyLoads.get(key)
    if (known?.takesCallers() === true) return known
    // The key is copied: a `Uint8Array` may change while the load lasts.
    const own = ownKey(key)
    const keyLoad = new KeyLoad(own, this, isForced ? forcedKey(this.store.open().words, own) : undefined)
    this.#all.add(keyLoad)
    keyLoads.set(own, keyLoad)
    return keyLoad
  }
}

function closed(): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_CLOSED',
    'This cache was closed by this thread while the call waited for a value to be loaded.',
  )
}
