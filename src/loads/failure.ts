/**
 * Errors as they travel from the thread where a loader failed to those who waited for it.
 *
 * What a loader throws is foreign: a property of it may be a getter that throws, and a test of its class may run a
 * trap. Every look at it is guarded, so that describing a failure never fails.
 */
import { MapsafeError, MapsafeRangeError, MapsafeTypeError, type MapsafeErrorCode } from '../base/errors.js'
import { corruptValue } from '../codec/value-error.js'
import { ValueCodecs } from '../codec/value.js'
import { isNativeError } from '../platform/brands.js'

/** A chain of causes may be a circle, and an AggregateError may hold itself many times over. */
const MAX_DEPTH = 8
/** Errors described of one failure, all in all. */
const MAX_ERRORS = 64
/** UTF-16 units of a message or stack. */
const MAX_TEXT = 16_384

/** An error as a value that a map can hold, or what was thrown in its place. */
type Failure = { readonly error: ErrorDescription } | { readonly thrown: unknown }

interface ErrorDescription {
  readonly name: string
  /** Whether it was a DOMException, as an abort is. */
  readonly isDom?: true
  readonly message: string
  readonly stack?: string
  readonly code?: unknown
  readonly cause?: Failure
  /** Of an AggregateError. */
  readonly errors?: readonly Failure[]
}

const builtIn: Readonly<Record<string, ErrorConstructor>> = {
  ...{ Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
}
const ours = { MapsafeError, MapsafeTypeError, MapsafeRangeError }

/**
 * Describes what a loader threw. Parts of it that no map can hold, or that throw when they are looked at, are left out;
 * long texts are cut. Never throws, and returns no user's object: each part is looked at once.
 */
export function describeFailure(reason: unknown): Failure {
  return describeWithin({ errors: MAX_ERRORS }, reason, MAX_DEPTH)
}

/** @param left how many more may be described, by all calls together */
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
 * What was described, as an error of the same class if that is one of JavaScript's or of this package.
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
  // A DOMException has the code that belongs to its name, and takes no cause.
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

/** What is read out of a region may be anything. */
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
    return false // a Proxy whose trap throws, or that was revoked
  }
}

function isDomException(reason: unknown): boolean {
  try {
    return reason instanceof DOMException
  } catch {
    return false
  }
}

/** A revoked Proxy does not even say whether it is an array. */
function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}

/** A property of something foreign; undefined if it cannot be had. */
function look(from: object, name: string | number): unknown {
  try {
    return (from as Record<string | number, unknown>)[name]
  } catch {
    return undefined
  }
}

/** A property as text; undefined if it is none. */
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

/** What a map would give back of `value`; undefined if it can hold none. */
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

/** Failures belong to no map. */
const codecs = new ValueCodecs(false)
