/**
 * Access to a caller's AbortSignal through the methods of the class. A method or getter of the object itself is user
 * code, which must not run while calls are being settled.
 */
/* eslint-disable @typescript-eslint/unbound-method -- called on the signal */
const { addEventListener, removeEventListener } = EventTarget.prototype
const aborted = getterOf('aborted')
const reason = getterOf('reason')

export function isAbortSignal(value: unknown): value is AbortSignal {
  try {
    aborted.call(value)
    return true
  } catch {
    return false
  }
}

export function isAborted(signal: AbortSignal): boolean {
  try {
    return aborted.call(signal) as boolean
  } catch {
    return false // a Proxy whose trap throws
  }
}

/** @returns the reason of the abort; undefined if the signal is not aborted, or has no reason */
export function reasonOf(signal: AbortSignal): unknown {
  try {
    return reason.call(signal)
  } catch {
    return undefined // a Proxy whose trap throws
  }
}

export function addAbortListener(signal: AbortSignal, listener: () => void): void {
  addEventListener.call(signal, 'abort', listener, { once: true })
}

export function removeAbortListener(signal: AbortSignal, listener: () => void): void {
  try {
    removeEventListener.call(signal, 'abort', listener)
  } catch {
    // Also happens with a Proxy. The listener does nothing once its call is settled.
  }
}

function getterOf(name: 'aborted' | 'reason'): (this: unknown) => unknown {
  const { get } = Object.getOwnPropertyDescriptor(AbortSignal.prototype, name)!
  return get as (this: unknown) => unknown
}
