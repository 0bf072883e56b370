/**
 * Errors as they travel from the thread where a loader failed to those who waited for it.
 *
 * What a loader throws is foreign: a property of it may be a getter that throws, and a test of its class may run a
 * trap. Every look at it is guarded, so that describing a failure never fails.
 */
import { MapsafeError, MapsafeRangeError, MapsafeTypeError, type MapsafeErrorCode } from '../base/errors.js'
import { corruptValue } from '../codec/value-error.js'
import { encodeValue } from '../codec/value.js'
import { isNativeError } from '../platform/brands.js'

/** A chain of causes may be a circle, and an AggregateError may hold any number of errors. */
const MAX_DEPTH = 8
const MAX_ERRORS = 16
/** UTF-16 units of a message or stack. */
const MAX_TEXT = 16_384

/** An error as a value that a map can hold, or what was thrown in its place. */
type Failure = { readonly error: ErrorDescription } | { readonly thrown: unknown }

interface ErrorDescription {
  readonly name: string
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
 * long texts are cut. Never throws.
 */
export function describeFailure(reason: unknown, depth = MAX_DEPTH): Failure {
  if (!isError(reason)) return { thrown: isStorable(reason) ? reason : undefined }
  const name = textOf(reason, 'name')
  const stack = textOf(reason, 'stack')
  const code = look(reason, 'code')
  const cause = look(reason, 'cause')
  const errors = look(reason, 'errors')
  return {
    error: {
      name: name === undefined || name === '' ? 'Error' : name,
      message: textOf(reason, 'message') ?? '',
      ...(stack !== undefined && { stack }),
      ...(code !== undefined && isStorable(code) && { code }),
      ...(cause !== undefined && depth > 0 && { cause: describeFailure(cause, depth - 1) }),
      ...(Array.isArray(errors) && depth > 0 && { errors: describeAll(errors, depth - 1) }),
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
  const { name, message, stack, code, cause, errors } = failure.error
  const options = cause === undefined ? undefined : { cause: reviveFailure(cause) }
  const error = make(name, message, options, code, errors)
  if (error.name !== name) define(error, 'name', name)
  if (code !== undefined && !(error instanceof MapsafeError)) Object.assign(error, { code })
  define(error, 'stack', stack)
  return error
}

function make(
  name: string,
  message: string,
  options: ErrorOptions | undefined,
  code: unknown,
  errors: readonly Failure[] | undefined,
): Error {
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
  if (Object.hasOwn(failure, 'thrown')) return true
  const { error } = failure as { error?: Partial<Record<keyof ErrorDescription, unknown>> }
  return (
    typeof error === 'object' &&
    (error as unknown) !== null &&
    typeof error.name === 'string' &&
    typeof error.message === 'string' &&
    (error.errors === undefined || Array.isArray(error.errors))
  )
}

function describeAll(errors: readonly unknown[], depth: number): Failure[] {
  const described: Failure[] = []
  const length = look(errors, 'length')
  const count = typeof length === 'number' ? Math.min(length, MAX_ERRORS) : 0
  for (let i = 0; i < count; i++) described.push(describeFailure(look(errors, i), depth))
  return described
}

function isError(reason: unknown): reason is Error {
  try {
    return isNativeError(reason) || reason instanceof Error
  } catch {
    return false // a Proxy whose trap throws, or that was revoked
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

function isStorable(value: unknown): boolean {
  try {
    encodeValue(value).release()
    return true
  } catch {
    return false
  }
}
