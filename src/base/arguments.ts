import { describe } from './describe.js'
import { MapsafeRangeError, MapsafeTypeError } from './errors.js'

/** The name of an argument or option in a message. */
export type InputName = `Argument ${string}` | `Option ${string}`

/** Makes the error for a wrong argument or option: a RangeError if the value is a number, else a TypeError. */
export function wrongInput(name: InputName, given: unknown, expected: string): Error {
  const message = messageFor(name, given, expected)
  return typeof given === 'number'
    ? new MapsafeRangeError('ERR_MAPSAFE_OPTIONS', message)
    : new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', message)
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `version` is an entry version, or 0 */
export function checkVersion(version: unknown): void {
  checkInteger('Argument version', version, 0, Number.MAX_SAFE_INTEGER)
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `given` is an integer from `least` to `most` */
export function checkInteger(name: InputName, given: unknown, least: number, most: number): asserts given is number {
  if (Number.isSafeInteger(given) && (given as number) >= least && (given as number) <= most) return
  throw wrongInput(
    name,
    given,
    most === Number.MAX_SAFE_INTEGER ? `a safe integer of at least ${least}` : `an integer from ${least} to ${most}`,
  )
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `ttl` is a number above 0 */
export function checkTtl(name: InputName, ttl: unknown): asserts ttl is number {
  if (!(typeof ttl === 'number' && ttl > 0)) throw wrongInput(name, ttl, 'a number of milliseconds above 0')
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `given` is a number from 0 to 1 */
export function checkPart(name: InputName, given: unknown): asserts given is number {
  if (!(typeof given === 'number' && given >= 0 && given <= 1)) throw wrongInput(name, given, 'a number from 0 to 1')
}

/** @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` unless `given` is a function */
export function checkFunction(name: string, given: unknown): void {
  if (typeof given === 'function') return
  throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', messageFor(`Argument ${name}`, given, 'a function'))
}

/**
 * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` unless `options` is an object without properties other than those
 * `known`
 */
export function checkOptions(options: unknown, known: readonly string[]): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The options are ${describe(options)}; expected an object that has any of ${known.join(', ')}.`,
    )
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `There is no option ${describe(name)}; expected one of ${known.join(', ')}.`,
    )
  }
}

/**
 * Reads an option: a property of `options` itself or inherited, but not from the end of its prototype chain. Code that
 * can store a property there, in `Object.prototype`, must not be able to open a file or change a lifetime by it.
 */
export function optionOf(options: object, name: string): unknown {
  const record = options as Readonly<Record<string, unknown>>
  return Object.hasOwn(options, name) || isInherited(options, name) ? record[name] : undefined
}

/**
 * Reads an option that is true or false, as {@link optionOf} does; false if it is not given.
 *
 * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` for anything else
 */
export function flagOf(options: object, name: string): boolean {
  const given = optionOf(options, name)
  if (given === undefined || typeof given === 'boolean') return given === true
  throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', messageFor(`Option ${name}`, given, 'true or false'))
}

function isInherited(options: object, name: string): boolean {
  let at = Object.getPrototypeOf(options) as object | null
  while (at !== null) {
    const next = Object.getPrototypeOf(at) as object | null
    if (next === null) return false
    if (Object.hasOwn(at, name)) return true
    at = next
  }
  return false
}

/**
 * Checks options as {@link checkOptions} does, and reads each one once, as {@link optionOf} does.
 *
 * @returns an object without a prototype that has all options of `known`
 */
export function readOptions<T extends object>(options: T, known: readonly (keyof T & string)[]): Readonly<T> {
  checkOptions(options, known)
  const read = Object.create(null) as Record<string, unknown>
  for (const name of known) read[name] = optionOf(options, name)
  return read as T
}

function messageFor(name: InputName, given: unknown, expected: string): string {
  return `${name} is ${describe(given)}; expected ${expected}.`
}
