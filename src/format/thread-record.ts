import {
  BLOCK_WORDS,
  REGISTRY_BLOCK,
  THREAD_INCARNATION,
  THREAD_WORDS,
  REGISTRY_THREADS,
  THREAD_SIZE_DELTA,
  THREAD_KERNEL_ID,
  THREAD_NAMESPACE,
} from './layout.js'
import { pairsOf } from './region.js'
import type { KernelId } from './thread-name.js'

/** Returns the word index of thread record `index`. */
export function threadRecordAt(index: number): number {
  return REGISTRY_BLOCK * BLOCK_WORDS + index * THREAD_WORDS
}

/** Returns the owner mark of record `index`, which its thread leaves in mutexes. */
export function markOf(words: Int32Array, index: number): number {
  return (index + 1) | (Atomics.load(words, threadRecordAt(index) + THREAD_INCARNATION) << 8)
}

/** Returns the word index of the thread record that an owner mark names. */
export function recordOf(mark: number): number {
  return threadRecordAt((mark & 0xff) - 1)
}

/** Returns the index of the thread record whose first word is `at`. */
export function recordIndexOf(at: number): number {
  return (at - threadRecordAt(0)) / THREAD_WORDS
}

/** Returns the inserts minus the deletes over all thread records: the number of entries when no write is in flight. */
export function sumOfSizeDeltas(words: Int32Array): number {
  let sum = 0
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    sum = (sum + Atomics.load(words, threadRecordAt(index) + THREAD_SIZE_DELTA)) | 0
  }
  return sum
}

/** Returns the name of the owner of record `index`; 0 if the record is free. */
export function nameOf(words: Int32Array, index: number): KernelId {
  return Atomics.load(pairsOf(words), (threadRecordAt(index) + THREAD_KERNEL_ID) / 2)
}

/** Returns the PID namespace of that owner; 0 if it could not be found out. */
export function namespaceOf(words: Int32Array, index: number): bigint {
  return Atomics.load(pairsOf(words), (threadRecordAt(index) + THREAD_NAMESPACE) / 2)
}
