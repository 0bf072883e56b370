import { checkTtl, readOptions, wrongInput } from '../base/arguments.js'
import type { DeepReadonly } from '../base/deep-readonly.js'
import { describe } from '../base/describe.js'
import { MapsafeRangeError, MapsafeTypeError } from '../base/errors.js'
import { isAbortSignal } from '../base/signal.js'
import { readTags } from '../store/tags.js'
import type { Storable } from '../base/storable.js'

/** A value that was there before a load, with the version of its entry. */
export interface StaleValue<V> {
  /** The value, as `get` returned it. */
  readonly value: DeepReadonly<V>
  /** Version of its entry, as in `MapEntry`. */
  readonly version: number
}

/**
 * The second argument of a loader, after the key. Its properties are getters of a class: they can be taken out of it one by
 * one, but copying the object by `...` takes none.
 */
export interface LoadContext<V = unknown> {
  /**
   * Aborted when the load's time is up, when no call in its thread waits for it any more, and when the cache is closed.
   */
  readonly signal: AbortSignal
  /** How long the value will live, in milliseconds: as the loader said last, else as its call or the cache says. */
  readonly ttl: number
  /**
   * Says how long the value lives, in milliseconds above 0, which may be a fraction; `Infinity` for ever. Needs no
   * `this`. Without effect once the load has ended.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything else
   */
  readonly setTtl: (ttl: number) => void
  /**
   * The value that this load is to replace: one that has expired and is kept by `staleWhileRevalidate` or
   * `staleIfError`, or with `forceRefresh` the one that is there. Undefined if there is none. A loader that finds it
   * still current, by an ETag say, returns it.
   */
  readonly stale: StaleValue<V> | undefined
}

/**
 * Loads the value of `key`, in one step or by a promise. It may use the cache, but must not await a load of the same
 * key: that call is rejected with `ERR_MAPSAFE_REENTRANT`, also where loaders of other keys come in between. Of a circle through
 * other threads, the calls end by their time limits.
 */
export type Loader<K, V> = (key: K, context: LoadContext<V>) => Storable<V> | PromiseLike<Storable<V>>

/** Options of loads that a cache can have for all its calls. Wrong ones, and names that are no options, are refused. */
export interface LoadDefaults {
  /** How long the loaded value lives, in milliseconds, as for `set`. Default: the cache's `ttl`. */
  readonly ttl?: number | undefined
  /**
   * How long after its expiry the value that this call's loader loads may still be returned: an integer of at least 0,
   * in milliseconds. Only `getOrLoad` returns it, while a loader in the background replaces it. Of calls that share a
   * load, the first one's option counts. If the loader fails, the value can still be returned until this time is over.
   * Default: 0.
   */
  readonly staleWhileRevalidate?: number | undefined
  /**
   * How long the load may take, and how long this call waits for another call's load, in milliseconds: an integer from
   * 1 to 2^31 - 1. Default: 30,000.
   */
  readonly timeout?: number | undefined
  /**
   * How long later calls are rejected with a failure of this call's loader, instead of starting a new load: an integer
   * of at least 0, in milliseconds. Default: 0, so that each later call loads anew.
   */
  readonly negativeTtl?: number | undefined
  /**
   * How long after its expiry the value that this call's loader loads may still be returned where a later load fails or
   * takes too long: an integer of at least 0, in milliseconds. Each call whose load fails gets the value as long as its
   * own option says, too, and the failure otherwise. With `forceRefresh` that also holds for a value that has not
   * expired. Calls that get such a value are counted (`stats().counters.staleOnError`). Default: 0.
   */
  readonly staleIfError?: number | undefined
}

/** Options of `getOrLoad`. Wrong ones, and names that are no options, reject the call with `ERR_MAPSAFE_OPTIONS`. */
export interface LoadOptions extends LoadDefaults {
  /**
   * Whether to load although there is a value. Others get that value until the new one replaces it; if the load fails,
   * it stays. Calls with this option share a load that is under way, over all threads and processes, unless the value
   * was written since it began. Neither an expired value nor a failure kept by `negativeTtl` is an answer. Default:
   * false.
   */
  readonly forceRefresh?: boolean | undefined
  /**
   * Names of groups that the value which this call's loader loads belongs to, 16 at most, for `invalidateTags`. They count
   * from the start of the loader on: a value whose tags are invalidated meanwhile goes to the calls that waited for it
   * before, but to no later one. Default: none.
   */
  readonly tags?: Iterable<string> | undefined
  /**
   * Rejects this call with the signal's reason when the signal aborts. Other waiting calls are not affected. Default:
   * no signal.
   */
  readonly signal?: AbortSignal | undefined
}

export interface ResolvedLoadDefaults {
  readonly ttl: number | undefined
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly timeout: number
  readonly negativeTtl: number
}

export interface ResolvedLoadOptions extends ResolvedLoadDefaults {
  readonly forceRefresh: boolean
  readonly signal: AbortSignal | undefined
  /** Names of labels. */
  readonly tags: readonly string[] | undefined
}

/** The longest time, in milliseconds, that a timer can wait. */
export const MAX_TIMEOUT = 2 ** 31 - 1
const BUILT_IN: ResolvedLoadDefaults = {
  ttl: undefined,
  staleWhileRevalidate: 0,
  staleIfError: 0,
  timeout: 30_000,
  negativeTtl: 0,
}
const DEFAULT_NAMES = Object.keys(BUILT_IN) as (keyof LoadDefaults)[]
const NAMES: readonly (keyof LoadOptions)[] = [...DEFAULT_NAMES, 'forceRefresh', 'tags', 'signal']

/**
 * Reads each option once, checks it, and fills in the defaults.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option
 */
export function resolveLoadDefaults(options: LoadDefaults | undefined): ResolvedLoadDefaults {
  return options === undefined ? BUILT_IN : resolve(readOptions(options, DEFAULT_NAMES), BUILT_IN)
}

/** As {@link resolveLoadDefaults}, for one call of a cache with such defaults. */
export function resolveLoadOptions(options: LoadOptions, defaults: ResolvedLoadDefaults): ResolvedLoadOptions {
  const given = readOptions(options, NAMES)
  const { signal, forceRefresh = false } = given
  if (typeof forceRefresh !== 'boolean') throw wrongInput('Option forceRefresh', forceRefresh, 'true or false')
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Option signal is ${describe(signal)}; expected an AbortSignal.`)
  }
  return { ...resolve(given, defaults), forceRefresh, signal, tags: readTags(given.tags) }
}

function resolve(given: LoadDefaults, defaults: ResolvedLoadDefaults): ResolvedLoadDefaults {
  const { ttl = defaults.ttl, timeout = defaults.timeout, negativeTtl = defaults.negativeTtl } = given
  const { staleWhileRevalidate = defaults.staleWhileRevalidate, staleIfError = defaults.staleIfError } = given
  if (ttl !== undefined) checkTtl('Option ttl', ttl)
  checkMilliseconds('staleWhileRevalidate', staleWhileRevalidate, 0, Number.MAX_SAFE_INTEGER)
  checkMilliseconds('staleIfError', staleIfError, 0, Number.MAX_SAFE_INTEGER)
  checkMilliseconds('timeout', timeout, 1, MAX_TIMEOUT)
  checkMilliseconds('negativeTtl', negativeTtl, 0, Number.MAX_SAFE_INTEGER)
  return { ttl, staleWhileRevalidate, staleIfError, timeout, negativeTtl }
}

function checkMilliseconds(name: string, given: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(given) && (given as number) >= least && (given as number) <= most) return
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  const message = `Option ${name} is ${describe(given)}; expected an integer ${upTo}: milliseconds.`
  throw typeof given === 'number'
    ? new MapsafeRangeError('ERR_MAPSAFE_OPTIONS', message)
    : new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', message)
}
