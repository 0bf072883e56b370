import { LIFE_DEAD, lifeOf } from '../engine/typescript/threads/liveness.js'
import {
  BLOCK_WORDS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  THREAD_ATTACHED,
  THREAD_INCARNATION,
  THREAD_KERNEL_ID,
  THREAD_STATE,
  THREAD_WORDS,
} from '../format/layout.js'
import { monotonic } from '../platform/system-clock.js'

/** Milliseconds for which the kernel's word that a thread lives is taken. Asking it takes some system calls. */
const TRUST = 50

/** Tells of the owners of loads whether they still live. */
export class Owners {
  /** When each owner mark last proved to be a living thread's. */
  readonly #seen = new Map<number, number>()

  constructor(private readonly words: Int32Array) {}

  /**
   * Whether the engine with this owner mark is there: its thread record is still its own, and its thread runs. A thread
   * of which the kernel tells nothing, being in another container, passes for alive.
   */
  isAlive(mark: number): boolean {
    const { words } = this
    const number = mark & 0xff
    if (number < 1 || number > REGISTRY_THREADS) return false
    const record = recordOf(mark)
    const isAttached =
      Atomics.load(words, record + THREAD_STATE) === THREAD_ATTACHED &&
      (number | (Atomics.load(words, record + THREAD_INCARNATION) << 8)) === mark
    return isAttached && this.#runs(mark, record)
  }

  #runs(mark: number, record: number): boolean {
    const now = monotonic()
    if (now - (this.#seen.get(mark) ?? -Infinity) < TRUST) return true
    const pairs = new BigUint64Array(this.words.buffer, this.words.byteOffset, this.words.length / 2)
    if (lifeOf(Atomics.load(pairs, (record + THREAD_KERNEL_ID) / 2)) === LIFE_DEAD) return false
    // Marks of owners that are gone are never asked for again.
    if (this.#seen.size > REGISTRY_THREADS) this.#seen.clear()
    this.#seen.set(mark, now)
    return true
  }
}

/** Word index of the thread record that an owner mark names. */
export function recordOf(mark: number): number {
  return REGISTRY_BLOCK * BLOCK_WORDS + ((mark & 0xff) - 1) * THREAD_WORDS
}
