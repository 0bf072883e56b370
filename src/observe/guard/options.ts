import { checkInteger, flagOf, readOptions, wrongInput } from '../../base/arguments.js'
import { MapsafeTypeError } from '../../base/errors.js'
import { describe } from '../../base/describe.js'

/** Thresholds of a map object; `Infinity` switches one off. */
export interface GuardOptions {
  /**
   * Calls of this map object about one key within a second, near hits included: an integer of at least 1. Above it the
   * key is so hot that its value belongs into a variable, or its writers get in each other's way. Default: 50,000.
   */
  readonly callsPerSecond?: number | undefined
  /**
   * Bytes of a value that is stored, for a string its length: an integer of at least 1. Above 65,536 no near-cache keeps
   * it, and each read copies and decodes it anew. Default: 65,536.
   */
  readonly largeValueBytes?: number | undefined
  /**
   * Milliseconds, above 0, for which a function given to `update` runs. Other writers of the key make it run again, or
   * wait for it. Default: 10.
   */
  readonly slowUpdateMs?: number | undefined
  /** Whether events have the key, which may be a secret or name a person. Default: false. */
  readonly keys?: boolean | undefined
}

/** The name of a threshold. */
export type GuardName = 'callsPerSecond' | 'largeValueBytes' | 'slowUpdateMs'

/** The options with their defaults. */
export type ResolvedGuard = Readonly<Record<GuardName, number>> & { readonly keys: boolean }

const DEFAULTS: ResolvedGuard = { callsPerSecond: 50_000, largeValueBytes: 65_536, slowUpdateMs: 10, keys: false }

/**
 * Checks the option `guard` and fills in the defaults.
 *
 * @returns undefined if there is no guard
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option
 */
export function resolveGuard(given: unknown): ResolvedGuard | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return DEFAULTS
  if (typeof given !== 'object' || given === null) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option guard is ${describe(given)}; expected true, false or an object with thresholds.`,
    )
  }
  const options = readOptions<GuardOptions>(given, ['callsPerSecond', 'largeValueBytes', 'slowUpdateMs', 'keys'])
  const { callsPerSecond = DEFAULTS.callsPerSecond, largeValueBytes = DEFAULTS.largeValueBytes } = options
  const { slowUpdateMs = DEFAULTS.slowUpdateMs } = options
  if (callsPerSecond !== Infinity) checkInteger('Option callsPerSecond', callsPerSecond, 1, Number.MAX_SAFE_INTEGER)
  if (largeValueBytes !== Infinity) checkInteger('Option largeValueBytes', largeValueBytes, 1, Number.MAX_SAFE_INTEGER)
  if (!(typeof slowUpdateMs === 'number' && slowUpdateMs > 0)) {
    throw wrongInput('Option slowUpdateMs', slowUpdateMs, 'a number of milliseconds above 0')
  }
  return { callsPerSecond, largeValueBytes, slowUpdateMs, keys: flagOf(options, 'keys') }
}
