import { Backoff } from './backoff.js'

/**
 * Takes the mutex in word `mutex`, which holds 0 or the owner mark of the thread that has it.
 *
 * @returns false if it could not be had within the bound of {@link Backoff}; the word then still tells who has it
 */
export function lockMutex(words: Int32Array, mutex: number, mark: number): boolean {
  if (Atomics.compareExchange(words, mutex, 0, mark) === 0) return true
  const backoff = new Backoff(words)
  do {
    if (!backoff.wait()) return false
  } while (Atomics.load(words, mutex) !== 0 || Atomics.compareExchange(words, mutex, 0, mark) !== 0)
  return true
}

export function unlockMutex(words: Int32Array, mutex: number): void {
  Atomics.store(words, mutex, 0)
}
