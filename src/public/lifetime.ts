import { checkOptions, checkTtl, optionOf, wrongInput } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { NEVER } from '../format/entry.js'
import { MapsafeTypeError } from '../base/errors.js'
import { slidingLife, type Span } from '../store/lifetime.js'
import { readTags } from '../store/tags.js'

/**
 * How long an entry of a `ConcurrentCache` lives. At most one of the three may be given; more, or a wrong one, throw
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
  /**
   * Milliseconds that the entry lives from its last read or write on, above 0 and finite, which may be a fraction. A
   * read renews it at most once in a tenth of that time, by a write that gives it a new version: `get`, `getEntry`,
   * `getMany`, `getEntries`, `getOrInsert` and loads; also `update`. These do not: `has`, `peek`, walks, snapshots.
   * Default: the cache's `slidingTtl`, if the other two are not given.
   */
  readonly slidingTtl?: number | undefined
}

/** How long an entry of a `ConcurrentCache` lives, and what it ends with besides. Wrong ones throw `ERR_MAPSAFE_OPTIONS`. */
export interface EntryOptions extends LifetimeOptions {
  /**
   * Names of groups that the entry belongs to, 16 at most, for `invalidateTags`. They count from the call on: an entry
   * whose tags are invalidated while it is being written is absent at once. Default: none.
   */
  readonly tags?: Iterable<string> | undefined
}

const NAMES = ['ttl', 'expiresAt', 'slidingTtl'] as const

/**
 * Reads each option once, since a getter among them is user code.
 *
 * @param others names of options beside the three, which the caller reads
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, or if several are given
 */
export function readLifetime(options: LifetimeOptions, others: readonly string[] = []): LifetimeOptions {
  if (typeof options === 'number') throw notOptions(options)
  checkOptions(options, [...NAMES, ...others])
  const [ttl, expiresAt, slidingTtl] = NAMES.map((name) => optionOf(options, name))
  const given = Object.entries({ ttl, expiresAt, slidingTtl }).filter(([, value]) => value !== undefined)
  if (given.length > 1) {
    const names = given.map(([name, value]) => `${name} (${describe(value)})`).join(' and ')
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The options ${names} are ${given.length === 2 ? 'both' : 'all'} given; expected one of them.`,
    )
  }
  if (ttl !== undefined) checkTtl('Option ttl', ttl)
  if (slidingTtl !== undefined) checkSlidingTtl(slidingTtl)
  if (expiresAt !== undefined && !(typeof expiresAt === 'number' && expiresAt > 0)) {
    throw wrongInput('Option expiresAt', expiresAt, 'a time in milliseconds since 1970, above 0')
  }
  return { ttl, expiresAt, slidingTtl }
}

/** The options of a write, each read once. */
interface ReadEntryOptions {
  readonly lifetime: LifetimeOptions
  /** Names of labels. */
  readonly tags: readonly string[] | undefined
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option */
export function readEntryOptions(options: EntryOptions): ReadEntryOptions {
  const lifetime = readLifetime(options, ['tags'])
  return { lifetime, tags: readTags(optionOf(options, 'tags')) }
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `given` is a finite number above 0 */
export function checkSlidingTtl(given: unknown): asserts given is number {
  if (typeof given === 'number' && given > 0 && given < Infinity) return
  throw wrongInput('Option slidingTtl', given, 'a finite number of milliseconds above 0')
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
 * the cache decides.
 *
 * @param options as {@link readLifetime} returned them
 * @param clock the cache's clock
 */
export function resolveLifetime(options: LifetimeOptions, clock: { ofWall(time: number): number }): Span | undefined {
  const { ttl, expiresAt, slidingTtl } = options
  if (slidingTtl !== undefined) return slidingLife(slidingTtl)
  if (ttl !== undefined) return ttl === Infinity ? NEVER : -ttl
  if (expiresAt === undefined) return undefined
  return expiresAt === Infinity ? NEVER : Math.max(clock.ofWall(expiresAt), 1)
}
