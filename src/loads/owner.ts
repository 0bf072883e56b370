import type { Engine } from '../engine/engine.js'
import { LIFE_DEAD } from '../format/thread-name.js'
import { recordIndexOf, recordOf } from '../format/thread-record.js'
import { REGISTRY_THREADS, THREAD_ATTACHED, THREAD_INCARNATION, THREAD_STATE } from '../format/layout.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * Milliseconds for which an answer that a thread lives is trusted. A new answer takes some system calls. A little less
 * than what waiting calls let pass between two looks, so that each of them asks.
 */
const TRUST = 45

/** Finds out whether the owners of loads still live. */
export class Owners {
  /** When each owner mark was last found to be a living thread's. */
  readonly #seen = new Map<number, number>()

  constructor(private readonly engine: Pick<Engine, 'words' | 'lifeOf'>) {}

  /**
   * Returns whether the engine with this owner mark is there: its thread record is still its own, and its thread is not
   * dead. A thread whose state is unknown passes for alive.
   *
   * @param now whether the kernel is asked even if it was a moment ago
   */
  isAlive(mark: number, now = false): boolean {
    const { words } = this.engine
    const number = mark & 0xff
    if (number < 1 || number > REGISTRY_THREADS) return false
    const record = recordOf(mark)
    const isAttached =
      Atomics.load(words, record + THREAD_STATE) === THREAD_ATTACHED &&
      (number | (Atomics.load(words, record + THREAD_INCARNATION) << 8)) === mark
    return isAttached && this.#lives(mark, now ? 0 : TRUST)
  }

  #lives(mark: number, trust: number): boolean {
    const now = monotonic()
    if (now - (this.#seen.get(mark) ?? -Infinity) < trust) return true
    this.#seen.delete(mark)
    if (this.engine.lifeOf(recordIndexOf(recordOf(mark))) === LIFE_DEAD) return false
    // Marks of owners that are gone are never looked up again.
    if (this.#seen.size > REGISTRY_THREADS) this.#seen.clear()
    this.#seen.set(mark, now)
    return true
  }
}
