import { checkOptions, flagOf, optionOf, wrongInput } from '../base/arguments.js'
import { MapsafeTypeError } from '../base/errors.js'
import { PUT_ALWAYS, PUT_IF_PRESENT, RENEW_EXPIRY } from '../engine/engine.js'
import type { Key } from '../format/key.js'
import type { Store } from '../store/store.js'
import { increment } from '../store/writes.js'
import { toMapEntry } from './entry.js'
import type { Lifetime } from '../store/lifetime.js'
import { readLifetime, type EntryOptions, type LifetimeOptions } from './lifetime.js'
import { readTags } from '../store/tags.js'
import type { MapEntry } from './types.js'

/** Options of `increment` and `incrementEntry` of a `ConcurrentMap`. Wrong ones throw `ERR_MAPSAFE_OPTIONS`. */
export interface MapIncrementOptions {
  /**
   * With true, a number is only added to one that is there: without an entry, nothing is stored, and the result is
   * undefined. Default: false, an absent number counts as 0.
   */
  readonly ifPresent?: boolean | undefined
}

/** Options of `increment` and `incrementEntry` of a `ConcurrentCache`. Wrong ones throw `ERR_MAPSAFE_OPTIONS`. */
export interface IncrementOptions extends MapIncrementOptions, Omit<EntryOptions, 'slidingTtl'> {
  /**
   * With true, the lifetime that the other options or the cache's `ttl` say begins anew with every call. Default: false,
   * it begins with the call that inserts the number, and later calls keep it.
   */
  readonly renew?: boolean | undefined
}

/** An {@link Engine.increment} to be made. */
export interface Increment {
  readonly mode: number
  readonly lifetime: LifetimeOptions | undefined
  /** Names of labels for a new number. */
  readonly tags?: readonly string[] | undefined
}

const PLAIN: Increment = { mode: PUT_ALWAYS, lifetime: undefined }

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `by` is a safe integer, and the options are those of a map */
export function readMapIncrement(by: unknown, options: MapIncrementOptions | undefined): Increment {
  checkAddend(by)
  if (options === undefined) return PLAIN
  checkOptions(options, ['ifPresent'])
  return { mode: flagOf(options, 'ifPresent') ? PUT_IF_PRESENT : PUT_ALWAYS, lifetime: undefined }
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `by` is a safe integer, and the options are those of a cache */
export function readIncrement(by: unknown, options: IncrementOptions | undefined): Increment {
  checkAddend(by)
  if (options === undefined) return PLAIN
  const lifetime = readLifetime(options, ['ifPresent', 'renew', 'tags'])
  const tags = readTags(optionOf(options, 'tags'))
  if (lifetime.slidingTtl !== undefined) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      'Option slidingTtl is given to an increment, whose entry no read renews; expected ttl, with renew for a window that each increment begins anew.',
    )
  }
  const condition = flagOf(options, 'ifPresent') ? PUT_IF_PRESENT : PUT_ALWAYS
  return { mode: flagOf(options, 'renew') ? condition | RENEW_EXPIRY : condition, lifetime, tags }
}

/** Adds `by` to the number under `key`; returns its entry, or undefined if the condition did not hold. */
export function incrementEntry<V>(
  store: Store<V>,
  key: Key,
  by: number,
  mode: number,
  expiry?: Lifetime,
): MapEntry<number> | undefined {
  const value = increment(store, key, by, expiry, mode)
  return value === undefined ? undefined : toMapEntry(store, store.lastEntry(value))
}

function checkAddend(by: unknown): void {
  if (!Number.isSafeInteger(by)) throw wrongInput('Argument by', by, 'a safe integer')
}
