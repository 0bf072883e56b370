import { checkOptions, optionOf, wrongInput, type InputName } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { NEVER } from '../format/entry.js'
import { MapsafeTypeError } from '../base/errors.js'

/**
 * How long an entry of a `ConcurrentCache` lives. At most one of the two may be given; both, or a wrong one, throw
 * `ERR_MAPSAFE_OPTIONS`.
 */
export interface LifetimeOptions {
  /** Milliseconds from the write on, above 0, which may be a fraction; `Infinity` for ever. Default: the cache's `ttl`. */
  readonly ttl?: number | undefined
  /**
   * The time at which the entry expires, in milliseconds of the system's clock, above 0; `Infinity` for never. With a
   * time in the past, the entry has expired at once. Setting that clock afterwards does not change how long the entry
   * lives. Default: as `ttl` says.
   */
  readonly expiresAt?: number | undefined
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `ttl` is a number above 0 */
export function checkTtl(name: InputName, ttl: unknown): asserts ttl is number {
  if (!(typeof ttl === 'number' && ttl > 0)) throw wrongInput(name, ttl, 'a number of milliseconds above 0')
}

/**
 * Reads each option once, since a getter among them is user code.
 *
 * @param others names of options beside the two, which the caller reads
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, or if both are given
 */
export function readLifetime(options: LifetimeOptions, others: readonly string[] = []): LifetimeOptions {
  if (typeof options === 'number') throw notOptions(options)
  checkOptions(options, ['ttl', 'expiresAt', ...others])
  const ttl = optionOf(options, 'ttl')
  const expiresAt = optionOf(options, 'expiresAt')
  if (ttl !== undefined && expiresAt !== undefined) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The options ttl (${describe(ttl)}) and expiresAt (${describe(expiresAt)}) are both given; expected one of them.`,
    )
  }
  if (ttl !== undefined) checkTtl('Option ttl', ttl)
  if (expiresAt !== undefined && !(typeof expiresAt === 'number' && expiresAt > 0)) {
    throw wrongInput('Option expiresAt', expiresAt, 'a time in milliseconds since 1970, above 0')
  }
  return { ttl, expiresAt }
}

/** A number is what a Keyv gives that was made with the cache itself as its store; it tells nobody but its listeners. */
function notOptions(given: number): Error {
  return new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `The options are ${given}; expected an object like { ttl: ${given} }. A Keyv takes the store of mapsafe/keyv or mapsafe/keyv5.`,
  )
}

/**
 * Returns how long an entry stored with these options lives, in the form that `write` of store/writes.ts takes; undefined if
 * the cache's `ttl` decides.
 *
 * @param clock the cache's clock
 * @throws MapsafeError as {@link readLifetime} does
 */
export function resolveLifetime(options: LifetimeOptions, clock: { ofWall(time: number): number }): number | undefined {
  const { ttl, expiresAt } = readLifetime(options)
  if (ttl !== undefined) return ttl === Infinity ? NEVER : -ttl
  if (expiresAt === undefined) return undefined
  return expiresAt === Infinity ? NEVER : Math.max(clock.ofWall(expiresAt), 1)
}
