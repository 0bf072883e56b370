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
  const number = mark & 0xff
  if (number < 1 || number > REGISTRY_THREADS) return false
  const record = recordOf(mark)
  return (
    Atomics.load(words, record + THREAD_STATE) === THREAD_ATTACHED &&
    (number | (Atomics.load(words, record + THREAD_INCARNATION) << 8)) === mark
  )
}

/** Word index of the thread record that an owner mark names. */
export function recordOf(mark: number): number {
  return REGISTRY_BLOCK * BLOCK_WORDS + ((mark & 0xff) - 1) * THREAD_WORDS
}
