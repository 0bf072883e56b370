import { checkTtl, wrongInput } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import type { Key } from '../format/key.js'
import type { Storable } from '../base/storable.js'
import { isUint8Array } from '../platform/brands.js'
import type { Pass, SharedPass } from './breaker.js'
import { KeyMap } from './key-map.js'
import type { LoadContext, StaleValue } from './options.js'
import { NO_VALUE } from './own-load.js'
import { addAbortListener, reasonOf } from '../base/signal.js'

/** The second argument of a loader of many keys, after the keys. */
export interface ManyLoadContext<K, V = unknown> {
  /** Aborted once the loads of all its keys are given up, each as {@link LoadContext.signal} says. */
  readonly signal: AbortSignal
  /**
   * Says how long values live, as {@link LoadContext.setTtl} does: that of `key`, or without one those of all keys.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong lifetime, or a key that was not asked for
   */
  readonly setTtl: (ttl: number, key?: K) => void
  /** The values that this load is to replace, as {@link LoadContext.stale}, by the keys as the loader got them. */
  readonly stale: ReadonlyMap<K, StaleValue<V>>
}

/**
 * Loads the values of `keys`, in one step or by a promise: an iterable of pairs, such as a `Map`, in any order. A key
 * without a pair has no value. A value may be a promise, so that one key can fail alone.
 */
export type ManyLoader<K, V> = (
  keys: readonly K[],
  context: ManyLoadContext<K, V>,
) => LoadedPairs<K, V> | PromiseLike<LoadedPairs<K, V>>

/** Keys with their values, or promises of them. */
export type LoadedPairs<K, V> = Iterable<readonly [K, Storable<V> | PromiseLike<Storable<V>>]>

/** A key whose load this thread began, and which the next call of the loader is to load. */
interface Wanted<K, V> {
  readonly key: K
  readonly context: LoadContext<V>
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/**
 * The loader of one call of `getManyOrLoad`. To each key's load it is a loader like any other; it gathers the keys
 * whose loads begin together, and loads them by one call of the user's function. A key whose load this call takes over
 * later, from a thread that died say, is loaded by a call of its own time.
 *
 * Thread safety: one thread.
 */
export class ManyLoad<K extends Key, V> implements SharedPass {
  /** The breaker's permission for the next call of the user's function. */
  pass: Pass | undefined
  #wanted: Wanted<K, V>[] = []
  #isGathering = true

  constructor(private readonly loadMissing: ManyLoader<K, V>) {}

  /** The loader of each key. Runs in the asynchronous context of the call. */
  readonly loader = (key: K, context: LoadContext<V>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      this.#wanted.push({ key, context, resolve, reject })
      // Loads that are taken over together become known one timer after the other.
      if (!this.#isGathering && this.#wanted.length === 1) setImmediate(() => this.run())
    })

  /** Loads the keys gathered. */
  run(): void {
    this.#isGathering = false
    this.pass = undefined
    const wanted = this.#wanted
    if (wanted.length === 0) return
    this.#wanted = []
    const fail = (reason: unknown): void => {
      for (const { reject } of wanted) reject(reason)
    }
    const context = contextOf(wanted)
    const keys = wanted.map(({ key }) => key)
    new Promise<Iterable<unknown>>((resolve) => {
      resolve(this.loadMissing([...keys], context))
    })
      .then((pairs) => {
        const values = valuesOf(keys, pairs)
        for (const { key, resolve } of wanted) {
          const found = values.get(key)
          resolve(found === undefined ? NO_VALUE : found.value)
        }
      })
      .catch(fail)
  }
}

function contextOf<K extends Key, V>(wanted: readonly Wanted<K, V>[]): ManyLoadContext<K, V> {
  let signal: AbortSignal | undefined
  return {
    get signal() {
      return (signal ??= commonSignal(wanted.map(({ context }) => context.signal)))
    },
    setTtl(ttl, key) {
      checkTtl('Argument ttl', ttl)
      const meant = key === undefined ? wanted : wanted.filter((each) => isSameKey(each.key, key))
      if (meant.length === 0) throw wrongInput('Argument key', key, 'one of the keys to load')
      for (const { context } of meant) context.setTtl(ttl)
    },
    get stale() {
      const stale = new Map<K, StaleValue<V>>()
      for (const { key, context } of wanted) if (context.stale !== undefined) stale.set(key, context.stale)
      return stale
    },
  }
}

/** Returns a signal that is aborted once all of `signals` are, for the reason of the last. */
function commonSignal(signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController()
  let left = signals.length
  const count = (signal: AbortSignal): void => {
    if (--left === 0) controller.abort(reasonOf(signal))
  }
  for (const signal of signals) {
    if (signal.aborted) count(signal)
    else
      addAbortListener(signal, () => {
        count(signal)
      })
  }
  return controller.signal
}

function isSameKey(a: Key, b: Key): boolean {
  const one = new KeyMap<true>()
  one.set(a, true)
  return isKey(b) && one.get(b) === true
}

/**
 * Returns the values that a loader returned, by key.
 *
 * @throws MapsafeTypeError `ERR_MAPSAFE_LOADER` unless they are pairs of keys asked for, each at most once
 */
function valuesOf(keys: readonly Key[], pairs: unknown): KeyMap<{ readonly value: unknown }> {
  if (typeof pairs !== 'object' || pairs === null || !(Symbol.iterator in pairs)) {
    throw wrongResult(`returned ${describe(pairs)}`)
  }
  const asked = new KeyMap<true>()
  for (const key of keys) asked.set(key, true)
  const values = new KeyMap<{ readonly value: unknown }>()
  for (const pair of pairs as Iterable<unknown>) {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrongResult(`returned ${describe(pair)} among its pairs`)
    const [key, value] = pair as [unknown, unknown]
    if (!isKey(key) || asked.get(key) === undefined) {
      throw wrongResult(`returned a value for ${describe(key)}, which it was not asked for`)
    }
    if (values.get(key) !== undefined) throw wrongResult(`returned two values for ${describe(key)}`)
    values.set(key, { value })
  }
  return values
}

function isKey(key: unknown): key is Key {
  return (typeof key !== 'object' && typeof key !== 'function') || isUint8Array(key)
}

function wrongResult(what: string): MapsafeTypeError {
  return new MapsafeTypeError(
    'ERR_MAPSAFE_LOADER',
    `The loader of getManyOrLoad ${what}; expected an iterable of pairs [key, value], one at most for each of its keys, such as a Map.`,
  )
}
