/**
 * Every error of this package carries one of these codes. A call that throws has changed nothing, except for methods
 * over many keys (`setMany`, `deleteMany`, `deleteWhere`, `clear`), which say so.
 *
 * | code | class | when |
 * | --- | --- | --- |
 * | `ERR_MAPSAFE_FULL` | Error | the region has no room left for the entry |
 * | `ERR_MAPSAFE_KEY_TYPE` | TypeError | the key is no string, number, bigint, boolean or `Uint8Array`, or one whose memory was detached |
 * | `ERR_MAPSAFE_VALUE_TYPE` | TypeError | a part of the value is a function, a symbol, detached, or keeps its data where no copy finds it |
 * | `ERR_MAPSAFE_ENTRY_TOO_LARGE` | RangeError | the entry could not fit even into an empty region; in a cache, into an eighth of it (256 KiB if that is more) |
 * | `ERR_MAPSAFE_CLOSED` | Error | the map was closed by this thread |
 * | `ERR_MAPSAFE_OPTIONS` | TypeError or RangeError | an option or argument of the wrong type or outside its range |
 * | `ERR_MAPSAFE_FORMAT` | Error | not a region, not a whole one, one of another format version or byte order, or in a copy of a file that was open; a value of a kind that only a later version has |
 * | `ERR_MAPSAFE_CORRUPT` | Error | the region's bytes contradict themselves |
 * | `ERR_MAPSAFE_COUNTER` | RangeError or TypeError | an increment would leave the safe integers, or meets no integer |
 * | `ERR_MAPSAFE_ENGINE` | Error | the native engine was asked for, or needed for a file, and is not there |
 * | `ERR_MAPSAFE_FILE` | Error | the system refuses to make, open or map the map's file |
 * | `ERR_MAPSAFE_THREADS` | Error | every thread record of the region is taken |
 * | `ERR_MAPSAFE_TIMEOUT` | Error | another thread held what was needed for longer than the bound |
 * | `ERR_MAPSAFE_REENTRANT` | Error | a function that decides about a write, as `update` calls one, wrote to the map; a loader awaited its own load |
 * | `ERR_MAPSAFE_NAME` | Error | a worker asks for a map by a name that the main thread has not given; two maps of one name where names tell them apart |
 * | `ERR_MAPSAFE_LOADER` | TypeError | the loader of `getManyOrLoad` returned something else than pairs of keys asked for |
 * | `ERR_MAPSAFE_BREAKER` | Error | the circuit breaker of the cache is open, and refused a load |
 */
export type MapsafeErrorCode =
  | 'ERR_MAPSAFE_FULL'
  | 'ERR_MAPSAFE_KEY_TYPE'
  | 'ERR_MAPSAFE_VALUE_TYPE'
  | 'ERR_MAPSAFE_ENTRY_TOO_LARGE'
  | 'ERR_MAPSAFE_CLOSED'
  | 'ERR_MAPSAFE_OPTIONS'
  | 'ERR_MAPSAFE_FORMAT'
  | 'ERR_MAPSAFE_CORRUPT'
  | 'ERR_MAPSAFE_COUNTER'
  | 'ERR_MAPSAFE_ENGINE'
  | 'ERR_MAPSAFE_FILE'
  | 'ERR_MAPSAFE_THREADS'
  | 'ERR_MAPSAFE_TIMEOUT'
  | 'ERR_MAPSAFE_REENTRANT'
  | 'ERR_MAPSAFE_NAME'
  | 'ERR_MAPSAFE_LOADER'
  | 'ERR_MAPSAFE_BREAKER'

const brand = Symbol.for('mapsafe.error')

/**
 * An error of this package. `instanceof MapsafeError` also holds for {@link MapsafeTypeError} and
 * {@link MapsafeRangeError}, which are a `TypeError` and a `RangeError` as well; distinguish errors by
 * {@link MapsafeError.code}.
 */
export class MapsafeError extends Error {
  /** The kind of the error. It is stable, so that programs can compare it; the message is for people and may change. */
  declare readonly code: MapsafeErrorCode
  /**
   * The number of entries or keys, from the first on, that `setMany` or `deleteMany` dealt with before this error
   * stopped it midway. Undefined if it stopped before the first, and in errors of other methods.
   */
  declare readonly completed?: number

  constructor(code: MapsafeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    identify(this, 'MapsafeError', code)
  }

  /** Recognizes all three classes: JavaScript has single inheritance, so the other two have a brand. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== MapsafeError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** A {@link MapsafeError} that is a `TypeError`. */
export class MapsafeTypeError extends TypeError {
  /** As of {@link MapsafeError.code}. */
  declare readonly code: MapsafeErrorCode

  constructor(code: MapsafeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    identify(this, 'MapsafeTypeError', code)
  }
}

/** A {@link MapsafeError} that is a `RangeError`. */
export class MapsafeRangeError extends RangeError {
  /** As of {@link MapsafeError.code}. */
  declare readonly code: MapsafeErrorCode
  /** As of {@link MapsafeError.completed}. */
  declare readonly completed?: number

  constructor(code: MapsafeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    identify(this, 'MapsafeRangeError', code)
  }
}

function identify(error: Error, name: string, code: MapsafeErrorCode): void {
  Object.defineProperties(error, {
    name: { value: name },
    code: { value: code, enumerable: true },
    [brand]: { value: true },
  })
}
