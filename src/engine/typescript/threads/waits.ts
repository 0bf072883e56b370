/**
 * Waiting for the end of a load without looking again and again. See docs/internals/protocol.md, "Waking", and
 * native/core/threads/waits.h.
 */
import { HEADER_BELL, HEADER_FEED_WAIT } from '../../../format/layout.js'
import { WAIT_WORDS, waitWordAt } from '../../../format/wait-words.js'
import { loadNative } from '../../../platform/addon.js'
import { isSharedArrayBuffer } from '../../../platform/brands.js'

/**
 * Makes the word odd, before this thread looks once more at what it waits for: it then sees a change of every thread
 * that will not wake it.
 * @returns the word's value
 */
export function announceWait(words: Int32Array, at: number): number {
  return Atomics.or(words, at, 1) | 1
}

/** Wakes the threads that wait for a change of a key with this hash. To be called after the change. */
export function wakeWaiting(words: Int32Array, hash: number): void {
  wakeAt(words, waitWordAt(hash))
}

/** Wakes all threads that wait for anything in the region. */
export function wakeAllWaiting(words: Int32Array): void {
  for (let i = 0; i < WAIT_WORDS; i++) wakeAt(words, waitWordAt(i))
  wakeAt(words, HEADER_FEED_WAIT)
}

/**
 * Wakes the threads that wait at word `at`, if it is odd. If the swap fails, another thread was faster, and wakes the same
 * threads.
 */
export function wakeAt(words: Int32Array, at: number): void {
  const value = Atomics.load(words, at)
  if ((value & 1) === 0 || Atomics.compareExchange(words, at, value, (value + 1) | 0) !== value) return
  if (isSharedArrayBuffer(words.buffer)) {
    Atomics.notify(words, at)
  } else {
    Atomics.add(words, HEADER_BELL, 1)
    loadNative()?.ringBell(words)
  }
}
