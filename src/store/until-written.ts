import type { Key } from '../format/key.js'
import { TIMEOUT } from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { asOneCall } from '../engine/one-call.js'
import type { Store } from './store.js'

/** The result of an attempt that lost the race for its key. */
export const LOST = Symbol('lost')

/**
 * Number of lost races before a key is held while its next value is made. Only a slow function, or a key in constant
 * use, loses that many.
 */
const OPTIMISTIC_TRIES = 16
/**
 * Bound on the attempts, for a damaged region, where they might never succeed. While the key is held, hardly any is
 * lost.
 */
const MOST_TRIES = 1024

/**
 * Repeats a write that depends on what it reads until no other write of `key` comes between: at first optimistically,
 * on condition of the version read; then holding the key, so that no other thread can write it. Reads go on
 * meanwhile.
 *
 * @param attempt reads, decides and writes; if `isHeld`, with `Engine.hold` and a write that ends the hold. If that
 * write finds no room, it writes on condition of the version read instead: such a write may clean up and evict, for
 * which a thread must hold nothing.
 * @returns the result of `attempt`
 */
export function untilWritten<T>(store: Store<unknown>, key: Key, attempt: (isHeld: boolean) => T | typeof LOST): T {
  const engine = store.openToWrite()
  return asOneCall(engine, () => {
    for (let tries = 0; tries < OPTIMISTIC_TRIES; tries++) {
      const outcome = attempt(false)
      if (outcome !== LOST) return outcome
    }
    try {
      for (let tries = OPTIMISTIC_TRIES; tries < MOST_TRIES; tries++) {
        const outcome = attempt(true)
        if (outcome !== LOST) return outcome
      }
    } finally {
      store.letGo()
    }
    throw engineError(engine, key, TIMEOUT)
  })
}
