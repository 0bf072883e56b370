/** Errors as they travel from the thread where a loader failed to those who waited for it. */
import { types } from 'node:util'
import { MapsafeError, MapsafeRangeError, MapsafeTypeError, type MapsafeErrorCode } from '../base/errors.js'
import { encodeValue } from '../codec/value.js'

/** A chain of causes may be a circle. */
const MAX_CAUSES = 8

/** An error as a value that a map can hold, or what was thrown in its place. */
type Failure = { readonly error: ErrorDescription } | { readonly thrown: unknown }

interface ErrorDescription {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: unknown
  readonly cause?: Failure
}

const builtIn: Readonly<Record<string, ErrorConstructor>> = {
  ...{ Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError },
}
const ours = { MapsafeError, MapsafeTypeError, MapsafeRangeError }

/** Describes what a loader threw. Parts of it that no map can hold are left out. */
export function describeFailure(reason: unknown, causes = MAX_CAUSES): Failure {
  if (!isError(reason)) return isStorable(reason) ? { thrown: reason } : { thrown: undefined }
  const { name, message, stack, cause } = reason
  const { code } = reason as { code?: unknown }
  return {
    error: {
      name: name,
      message: message,
      ...(typeof stack === 'string' && { stack }),
      ...(code !== undefined && isStorable(code) && { code }),
      ...(cause !== undefined && causes > 0 && { cause: describeFailure(cause, causes - 1) }),
    },
  }
}

/** What was described, as an error of the same class if that is one of JavaScript's or of this package. */
export function reviveFailure(failure: unknown): unknown {
  const described = failure as Failure
  if (!('error' in described)) return described.thrown
  const { name, message, stack, code, cause } = described.error
  const options = cause === undefined ? undefined : { cause: reviveFailure(cause) }
  if (name in ours && typeof code === 'string') {
    const error = new ours[name as keyof typeof ours](code as MapsafeErrorCode, message, options)
    return Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
  }
  const isBuiltIn = Object.hasOwn(builtIn, name)
  const error = new (isBuiltIn ? builtIn[name] : Error)(message, options)
  if (!isBuiltIn) Object.defineProperty(error, 'name', { value: name, writable: true, configurable: true })
  if (code !== undefined) Object.assign(error, { code })
  return Object.defineProperty(error, 'stack', { value: stack, writable: true, configurable: true })
}

function isError(reason: unknown): reason is Error {
  return types.isNativeError(reason) || reason instanceof Error
}

function isStorable(value: unknown): boolean {
  try {
    encodeValue(value).release()
    return true
  } catch {
    return false
  }
}
