import { REGISTRY_THREADS, THREAD_WAITS, THREAD_WAIT_WORDS } from './layout.js'
import { threadRecordAt } from './thread-record.js'

/** Number of wait words: docs/internals/protocol.md, "Waking". */
export const WAIT_WORDS = REGISTRY_THREADS * THREAD_WAIT_WORDS

/** Returns the index of the wait word for keys with this hash; the numbers below {@link WAIT_WORDS} give all. */
export function waitWordAt(hash: number): number {
  const record = (hash >>> 4) & (REGISTRY_THREADS - 1)
  return threadRecordAt(record) + THREAD_WAITS + (hash & (THREAD_WAIT_WORDS - 1))
}
