import { isNativeFunction } from '../platform/brands.js'
import type { Wait } from './running-loads.js'

/**
 * The promise of a call that a loader makes, which tells when the loader awaits it.
 *
 * `await`, `return` from an async function and `Promise.all` call `then` with functions of the language. Code that only
 * wants to be told calls it with a function of its own, or calls nothing; such a call may well end after the loader, and
 * waits for nothing. What `then` returns is again such a promise, so that awaiting that is noticed as well.
 */
export class LoaderCall<V> extends Promise<V> {
  #wait: Wait | undefined
  #isAsked = false

  /** @param wait told when the call is awaited */
  static of<V>(promise: Promise<V>, wait: Wait): LoaderCall<V> {
    const call = new LoaderCall<V>((resolve) => {
      resolve(promise)
    })
    call.#wait = wait
    return call
  }

  override then<A = V, B = never>(
    onFulfilled?: ((value: V) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    if (!this.#isAsked && isNativeFunction(onFulfilled)) this.#wait?.begin()
    const next = super.then(onFulfilled, onRejected)
    const made: object = next
    if (#wait in made) made.#wait = this.#wait // it always is: `then` makes promises of the same class
    return next
  }

  override finally(onFinally?: (() => void) | null): Promise<V> {
    this.#isAsked = true // it calls then with functions of the language, but awaits nothing
    try {
      return super.finally(onFinally)
    } finally {
      this.#isAsked = false
    }
  }
}
