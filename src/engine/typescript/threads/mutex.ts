import { Backoff } from './backoff.js'
import type { WaitBudget } from './wait-budget.js'

/**
 * Takes the mutex in word `mutex`, which holds 0 or the owner mark of the thread that has it.
 *
 * @returns false if it could not be had within what is left of the call's budget
 */
export function lockMutex(budget: WaitBudget, mutex: number): boolean {
  const { words, mark } = budget
  if (Atomics.compareExchange(words, mutex, 0, mark) === 0) return true
  const backoff = Backoff.forMutex(budget, mutex)
  do {
    if (!backoff.wait()) return false
  } while (Atomics.load(words, mutex) !== 0 || Atomics.compareExchange(words, mutex, 0, mark) !== 0)
  backoff.end()
  return true
}

export function unlockMutex(words: Int32Array, mutex: number): void {
  Atomics.store(words, mutex, 0)
}
