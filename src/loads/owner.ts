import {
  BLOCK_WORDS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  THREAD_ATTACHED,
  THREAD_INCARNATION,
  THREAD_STATE,
  THREAD_WORDS,
} from '../region/layout.js'

/** Whether the engine with this owner mark still has its thread record. If not, it ended or was closed. */
export function isAttached(words: Int32Array, mark: number): boolean {
  const index = (mark & 0xff) - 1
  if (index < 0 || index >= REGISTRY_THREADS) return false
  const record = REGISTRY_BLOCK * BLOCK_WORDS + index * THREAD_WORDS
  return (
    Atomics.load(words, record + THREAD_STATE) === THREAD_ATTACHED &&
    ((index + 1) | (Atomics.load(words, record + THREAD_INCARNATION) << 8)) === mark
  )
}
