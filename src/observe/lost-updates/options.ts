import { checkInteger, flagOf, optionOf, readOptions, wrongInput } from '../../base/arguments.js'
import { MapsafeTypeError } from '../../base/errors.js'
import { describe } from '../../base/describe.js'
import { variable, warn } from '../../platform/process.js'

/** Options of the probe for lost updates. */
export interface LostUpdateOptions {
  /** Whether events have the key, which may be a secret or name a person. Default: false. */
  readonly keys?: boolean | undefined
  /** Whether events have the stacks of both calls. Catching one takes each read some microseconds. Default: true. */
  readonly stacks?: boolean | undefined
  /** How many of the keys read last are remembered: an integer from 1 to 65,536. Default: 256. */
  readonly notes?: number | undefined
  /**
   * Milliseconds, above 0, after which a read is taken for unrelated to a write of its key; `Infinity` for never.
   * Default: 10,000.
   */
  readonly windowMs?: number | undefined
}

/** The options with their defaults. */
export interface ResolvedLostUpdates {
  readonly keys: boolean
  readonly stacks: boolean
  readonly notes: number
  readonly windowMs: number
}

const MAX_NOTES = 65_536
const DEFAULTS: ResolvedLostUpdates = { keys: false, stacks: true, notes: 256, windowMs: 10_000 }
const VARIABLE = 'MAPSAFE_LOST_UPDATES'

/**
 * Checks the option `lostUpdates` and fills in the defaults.
 *
 * @returns undefined if the probe is off
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option
 */
export function resolveLostUpdates(given: unknown): ResolvedLostUpdates | undefined {
  if (given === undefined) return isOnByDefault() ? DEFAULTS : undefined
  if (given === true) return DEFAULTS
  if (given === false) return undefined
  if (typeof given !== 'object' || given === null) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option lostUpdates is ${describe(given)}; expected true, false or an object of keys, stacks, notes, windowMs.`,
    )
  }
  const options = readOptions<LostUpdateOptions>(given, ['keys', 'stacks', 'notes', 'windowMs'])
  const { notes = DEFAULTS.notes, windowMs = DEFAULTS.windowMs } = options
  checkInteger('Option notes', notes, 1, MAX_NOTES)
  if (!(typeof windowMs === 'number' && windowMs > 0)) {
    throw wrongInput('Option windowMs', windowMs, 'a number of milliseconds above 0')
  }
  const stacks = optionOf(options, 'stacks') === undefined ? DEFAULTS.stacks : flagOf(options, 'stacks')
  return { keys: flagOf(options, 'keys'), stacks, notes, windowMs }
}

/** The variable decides; without it, or with a wrong one, the probe is on in development alone. */
function isOnByDefault(): boolean {
  const chosen = variable(VARIABLE)
  if (chosen === '1' || chosen === '0') return chosen === '1'
  if (chosen !== undefined) warn(`${VARIABLE} is ${describe(chosen)}; expected 1 or 0.`, 'MAPSAFE_ENVIRONMENT')
  return variable('NODE_ENV') === 'development'
}
