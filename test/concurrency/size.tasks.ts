import type { Shift } from '../support/crew.js'

/** Words of the memory that the workers of {@link insertOrDelete} and their observer share. */
export const INSERTS_BEGUN = 0
export const INSERTS_DONE = 1
export const DELETIONS_BEGUN = 2
export const DELETIONS_DONE = 3
export const STOP = 4
export const SHARED_WORDS = 5

/**
 * Even workers insert keys, odd ones delete those of their neighbour, so that a record's count goes ever up or ever
 * down.
 */
export function insertOrDelete({ map, worker }: Shift<number>, shared: SharedArrayBuffer, keys: number): void {
  const words = new Int32Array(shared)
  const pair = worker >> 1
  for (let i = 0; Atomics.load(words, STOP) === 0; i++) {
    const key = `${pair} ${i % keys}`
    if (worker % 2 === 0) {
      Atomics.add(words, INSERTS_BEGUN, 1)
      if (map.setIfAbsent(key, i)) Atomics.add(words, INSERTS_DONE, 1)
      else Atomics.sub(words, INSERTS_BEGUN, 1)
    } else {
      Atomics.add(words, DELETIONS_BEGUN, 1)
      if (map.delete(key)) Atomics.add(words, DELETIONS_DONE, 1)
      else Atomics.sub(words, DELETIONS_BEGUN, 1)
    }
  }
}
