import { readOptions } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeRangeError, MapsafeTypeError } from '../base/errors.js'
import { isAbortSignal } from '../base/signal.js'
import type { Storable } from '../base/storable.js'

/** The second argument of a loader, after the key. */
export interface LoadContext {
  /**
   * Aborted when the load's time is up, when no call in its thread waits for it any more, and when the cache is closed.
   */
  readonly signal: AbortSignal
}

/**
 * Loads the value of `key`, in one step or by a promise. It may use the cache, but must not await a load of the same
 * key: that call is rejected with `ERR_MAPSAFE_REENTRANT`, also where loaders of other keys come in between. Of a circle through
 * other threads, the calls end by their time limits.
 */
export type Loader<K, V> = (key: K, context: LoadContext) => Storable<V> | PromiseLike<Storable<V>>

/** Options of `getOrLoad`. Wrong ones, and names that are no options, reject the call with `ERR_MAPSAFE_OPTIONS`. */
export interface LoadOptions {
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
   * Rejects this call with the signal's reason when the signal aborts. Other waiting calls are not affected. Default:
   * no signal.
   */
  readonly signal?: AbortSignal | undefined
}

export interface ResolvedLoadOptions {
  /** The value given, unchecked: it is checked when the value is stored. */
  readonly ttl: number | undefined
  readonly staleWhileRevalidate: number
  readonly timeout: number
  readonly negativeTtl: number
  readonly signal: AbortSignal | undefined
}

const DEFAULT_TIMEOUT = 30_000
/** The longest time, in milliseconds, that a timer can wait. */
export const MAX_TIMEOUT = 2 ** 31 - 1
const DEFAULTS: ResolvedLoadOptions = {
  ttl: undefined,
  staleWhileRevalidate: 0,
  timeout: DEFAULT_TIMEOUT,
  negativeTtl: 0,
  signal: undefined,
}
const NAMES: readonly (keyof LoadOptions)[] = ['ttl', 'staleWhileRevalidate', 'timeout', 'negativeTtl', 'signal']

/** Reads each option of `getOrLoad` once, checks all but `ttl`, and fills in the defaults. */
export function resolveLoadOptions(options: LoadOptions | undefined): ResolvedLoadOptions {
  if (options === undefined) return DEFAULTS
  const given = readOptions(options, NAMES)
  const { ttl, staleWhileRevalidate = 0, timeout = DEFAULT_TIMEOUT, negativeTtl = 0, signal } = given
  checkMilliseconds('staleWhileRevalidate', staleWhileRevalidate, 0, Number.MAX_SAFE_INTEGER)
  checkMilliseconds('timeout', timeout, 1, MAX_TIMEOUT)
  checkMilliseconds('negativeTtl', negativeTtl, 0, Number.MAX_SAFE_INTEGER)
  if (signal !== undefined && !isAbortSignal(signal)) {
    throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Option signal is ${describe(signal)}; expected an AbortSignal.`)
  }
  return { ttl, staleWhileRevalidate, timeout, negativeTtl, signal }
}

function checkMilliseconds(name: string, given: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(given) && (given as number) >= least && (given as number) <= most) return
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`
  const message = `Option ${name} is ${describe(given)}; expected an integer ${upTo}: milliseconds.`
  throw typeof given === 'number'
    ? new MapsafeRangeError('ERR_MAPSAFE_OPTIONS', message)
    : new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', message)
}
