import { pairsOf } from '../../src/format/region.js'
import {
  HEADER_TAKEOVER,
  REGISTRY_THREADS,
  THREAD_ABANDONED,
  THREAD_KERNEL_ID,
  THREAD_STATE,
} from '../../src/format/layout.js'
import { threadRecordAt } from '../../src/format/thread-record.js'

/** Makes the owner of record `index`, or of every one that is taken, a thread that is no more, as its exit mark would. */
export function abandon(words: Int32Array, index?: number): void {
  const pairs = pairsOf(words)
  const indices = index === undefined ? Array.from({ length: REGISTRY_THREADS }, (_, i) => i) : [index]
  for (const i of indices) {
    const at = threadRecordAt(i)
    if (Atomics.load(pairs, (at + THREAD_KERNEL_ID) / 2) !== 0n)
      Atomics.store(words, at + THREAD_STATE, THREAD_ABANDONED)
  }
}

/** Gives back the right to take over from the dead, as the exit mark of the thread that has it would. */
export function freeTakeoverWord(words: Int32Array): void {
  Atomics.store(pairsOf(words), HEADER_TAKEOVER / 2, 0n)
}
