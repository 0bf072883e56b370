import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/** Runs functions in the asynchronous context in which it was made: that of `AsyncLocalStorage`. */
export type InContext = <T>(action: () => T) => T

/** Holds the caller's asynchronous context for what is run for it later. O(1). */
export function captureContext(): InContext {
  const resource = new AsyncResource('mapsafe.load')
  return (action) => resource.runInAsyncScope(action)
}

/** A value that follows the code which runs under it through its asynchronous calls. */
export class Carried<T> {
  readonly #storage = new AsyncLocalStorage<T>()

  /** Runs `action`, and all that it starts, under `value`. */
  run<R>(value: T, action: () => R): R {
    return this.#storage.run(value, action)
  }

  get(): T | undefined {
    return this.#storage.getStore()
  }

  /**
   * Forgets all values. As long as one is carried, Node.js before 24 does more work for each promise of the thread: some
   * 60 ns a promise that is awaited.
   */
  clear(): void {
    this.#storage.disable()
  }
}
