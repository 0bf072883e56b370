import { BLOCK_WORDS, REGISTRY_BLOCK, THREAD_INCARNATION, THREAD_WORDS } from './layout.js'

/** Word index of thread record `index`. */
export function threadRecordAt(index: number): number {
  return REGISTRY_BLOCK * BLOCK_WORDS + index * THREAD_WORDS
}

/** What the thread that has record `index` leaves in mutexes. */
export function markOf(words: Int32Array, index: number): number {
  return (index + 1) | (Atomics.load(words, threadRecordAt(index) + THREAD_INCARNATION) << 8)
}

/** Index of the thread record whose first word is `at`. */
export function recordIndexOf(at: number): number {
  return (at - threadRecordAt(0)) / THREAD_WORDS
}
