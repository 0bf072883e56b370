/**
 * Errors in the form in which they travel from the thread where a loader failed to the threads that waited for it.
 *
 * An error that a loader throws is foreign: a property of it may be a getter that throws, and a test of its class may
 * run a trap. Every look at it is guarded, so that describing a failure never fails.
 */
import { MapsafeError, MapsafeRangeError, MapsafeTypeError, type MapsafeErrorCode } from '../base/errors.js'
import { corruptValue } from '../codec/value-error.js'
import { ValueCodecs } from '../codec/value.js'
import { isNativeError } from '../platform/brands.js'

/** Bound on the depth: a chain of causes may be a circle, and an AggregateError may hold itself many times over. */
const MAX_DEPTH = 8
/** Most errors that are described for one failure, all in all. */
const MAX_ERRORS = 64
/** Most UTF-16 units of a message or stack. */
const MAX_TEXT = 16_384

/** An error, or another thrown value, in a form that a map can hold. */
type Failure = { readonly error: ErrorDescription } | { readonly thrown: unknown }

interface ErrorDescription {
  readonly name: string
  /** Whether the error was a DOMException, as an abort is. */
  readonly isDom?: true
  readonly message: string
  readonly stack?: string
  readonly code?: unknown
  readonly cause?: Failure
  /** The errors of an AggregateError. */
  readonly errors?: readonly Failure[]
}

const builtIn: Readonly<Record<string, ErrorConstructor>> = {
  ...{ Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
}
const ours = { MapsafeError, MapsafeTypeError, MapsafeRangeError }

/**
 * Describes the value that a loader threw. Parts of it that no map can hold, or that throw when they are read, are left
 * out; long texts are cut. Never throws, and returns no user's object. Each part is read once.
 */
export function describeFailure(reason: unknown): Failure {
  return describeWithin({ errors: MAX_ERRORS }, reason, MAX_DEPTH)
}

/** @param left how many more errors may be described, by all calls together */
function describeWithin(left: { errors: number }, reason: unknown, depth: number): Failure {
  left.errors--
  if (!isError(reason)) return { thrown: copyOf(reason) }
  const name = textOf(reason, 'name')
  const stack = textOf(reason, 'stack')
  const code = copyOf(look(reason, 'code'))
  const cause = look(reason, 'cause')
  const errors = look(reason, 'errors')
  const goesOn = depth > 0 && left.errors > 0
  return {
    error: {
      name: name === undefined || name === '' ? 'Error' : name,
      message: textOf(reason, 'message') ?? '',
      ...(isDomException(reason) && { isDom: true }),
      ...(stack !== undefined && { stack }),
      ...(code !== undefined && { code }),
      ...(cause !== undefined && goesOn && { cause: describeWithin(left, cause, depth - 1) }),
      ...(isArray(errors) && goesOn && { errors: describeAll(left, errors, depth - 1) }),
    },
  }
}

/**
 * Makes the described value again, as an error of the same class if that is a class of JavaScript or of this package.
 *
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if it is no description
 */
export function reviveFailure(failure: unknown): unknown {
  if (!isDescription(failure)) throw corruptValue()
  if (!('error' in failure)) return failure.thrown
  const { name, stack, code, cause, isDom } = failure.error
  const options = cause === undefined ? undefined : { cause: reviveFailure(cause) }
  const error = make(failure.error, options)
  if (error.name !== name) define(error, 'name', name)
  // The code of a DOMException follows from its name, and its constructor takes no cause.
  if (isDom === true && cause !== undefined) define(error, 'cause', options?.cause)
  if (code !== undefined && isDom !== true && !(error instanceof MapsafeError)) Object.assign(error, { code })
  define(error, 'stack', stack)
  return error
}

function make({ name, message, isDom, code, errors }: ErrorDescription, options: ErrorOptions | undefined): Error {
  if (isDom === true) return new DOMException(message, name)
  if (Object.hasOwn(ours, name) && typeof code === 'string') {
    return new ours[name as keyof typeof ours](code as MapsafeErrorCode, message, options)
  }
  if (errors !== undefined) return new AggregateError(errors.map(reviveFailure), message, options)
  return new (Object.hasOwn(builtIn, name) ? builtIn[name] : Error)(message, options)
}

function define(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true })
}

/** Checks a description, since a value read from a region may be anything. */
function isDescription(failure: unknown): failure is Failure {
  if (typeof failure !== 'object' || failure === null) return false
  if (!Object.hasOwn(failure, 'error')) return Object.hasOwn(failure, 'thrown')
  const { error } = failure as { error?: Partial<Record<keyof ErrorDescription, unknown>> }
  return (
    typeof error === 'object' &&
    (error as unknown) !== null &&
    typeof error.name === 'string' &&
    typeof error.message === 'string' &&
    (error.errors === undefined || Array.isArray(error.errors))
  )
}

function describeAll(left: { errors: number }, errors: readonly unknown[], depth: number): Failure[] {
  const described: Failure[] = []
  const length = look(errors, 'length')
  for (let i = 0; typeof length === 'number' && i < length && left.errors > 0; i++) {
    described.push(describeWithin(left, look(errors, i), depth))
  }
  return described
}

function isError(reason: unknown): reason is Error {
  try {
    // eslint-disable-next-line no-restricted-syntax -- what was made with this class as a prototype is one as well
    return isNativeError(reason) || reason instanceof Error
  } catch {
    return false // a Proxy whose trap throws, or a revoked one
  }
}

function isDomException(reason: unknown): boolean {
  try {
    return reason instanceof DOMException
  } catch {
    return false
  }
}

/** Is Array.isArray, but false for a revoked Proxy, for which that throws. */
function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** Reads a property of a foreign object; undefined if reading fails. */
function look(from: object, name: string | number): unknown {
  try {
    return (from as Record<string | number, unknown>)[name]
  } catch {
    return undefined
  }
}

/** Reads a property that is a text; undefined if it is something else. */
function textOf(from: object, name: string): string | undefined {
  const value = look(from, name)
  if (typeof value === 'string') return value.length <= MAX_TEXT ? value : `${value.slice(0, MAX_TEXT)} ...`
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'symbol':
      return String(value)
    default:
      return undefined
  }
}

/** Returns the copy of `value` that a map would return; undefined if a map cannot hold it. */
function copyOf(value: unknown): unknown {
  try {
    const encoder = codecs.encode(value)
    try {
      return codecs.decodeEncoded(encoder, value)
    } finally {
      encoder.release()
    }
  } catch {
    return undefined
  }
}

/** Codecs without a map, since failures belong to none. */
const codecs = new ValueCodecs(false)
