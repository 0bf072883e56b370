import { AsyncResource } from 'node:async_hooks'

/** Runs functions in the asynchronous context in which it was made: that of `AsyncLocalStorage`. */
export type InContext = <T>(action: () => T) => T

/** Holds the caller's asynchronous context for what is run for it later. O(1). */
export function captureContext(): InContext {
  const resource = new AsyncResource('mapsafe.load')
  return (action) => resource.runInAsyncScope(action)
}
