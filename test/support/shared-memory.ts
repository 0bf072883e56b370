import { closeSync, openSync } from 'node:fs'
import { fileFunctions, mapWholeFile } from '../../src/storage/mapping.js'

/** Zeroed memory for what tests share beside the map: of threads, or in a file for processes. */
export type SharedMemory = SharedArrayBuffer | { readonly path: string }

/** The memory as this thread has it. `Atomics.wait` takes only that of threads. */
export function openMemory(memory: SharedMemory): SharedArrayBuffer | ArrayBuffer {
  if (memory instanceof SharedArrayBuffer) return memory
  const descriptor = openSync(memory.path, 'r+')
  try {
    return mapWholeFile(fileFunctions(), descriptor, memory.path)
  } finally {
    closeSync(descriptor)
  }
}

const LONGEST_SLEEP_MS = 1000
const PROCESS_SLEEP_MS = 1
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Sleeps while a word is `value`; not for ever, so look again. Threads are woken by `Atomics.notify`; nobody wakes
 * processes, so they look every millisecond.
 */
export function sleepWhile(words: Int32Array, index: number, value: number): void {
  if (words.buffer instanceof SharedArrayBuffer) {
    Atomics.wait(words, index, value, LONGEST_SLEEP_MS)
    return
  }
  for (let slept = 0; Atomics.load(words, index) === value && slept < LONGEST_SLEEP_MS; slept += PROCESS_SLEEP_MS) {
    Atomics.wait(sleeper, 0, 0, PROCESS_SLEEP_MS)
  }
}
