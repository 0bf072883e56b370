import { types } from '../platform/brands.js'
import { MapsafeTypeError, type MapsafeErrorCode } from './errors.js'

/**
 * Refuses a promise, or another object with a method `then`, that a user's function returned where its value is needed at
 * once. Runs no getter.
 *
 * @param method the method that called the function
 * @param advice completes "The function given to METHOD returned a promise; ..."
 * @throws MapsafeTypeError with `code`
 */
export function refusePromise(result: unknown, code: MapsafeErrorCode, method: string, advice: string): void {
  if (typeof result !== 'object' || result === null || !isThenable(result)) return
  // The refusal says it all: that the promise is rejected later must not end the process beside.
  if (types.isPromise(result)) void Promise.prototype.then.call(result, undefined, ignore)
  throw new MapsafeTypeError(code, `The function given to ${method} returned a promise; ${advice}`)
}

function isThenable(object: object): boolean {
  if (types.isPromise(object)) return true
  if (types.isProxy(object) || !('then' in object)) return false
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const property = Object.getOwnPropertyDescriptor(at, 'then')
    if (property !== undefined) return typeof property.value === 'function'
  }
  return false
}

function ignore(): void {
  // See above.
}
