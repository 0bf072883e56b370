import { sleepWhile } from './shared-memory.js'

const ARRIVED = 0
const GENERATION = 1
const BROKEN = 2

/** Rounds of looking before sleeping: waking up takes longer than most waits here. */
const SPINS = 2000

/** Lets threads, or processes, go on only together. */
export class Barrier {
  static readonly BYTES = 12
  readonly #words: Int32Array
  readonly #parties: number

  /** @param memory zeroed at first, and the same for all parties */
  constructor(memory: SharedArrayBuffer | ArrayBuffer, parties: number) {
    this.#words = new Int32Array(memory)
    this.#parties = parties
  }

  /** Waits for all parties. @throws if one of them broke the barrier */
  wait(): void {
    const words = this.#words
    const generation = Atomics.load(words, GENERATION)
    if (Atomics.add(words, ARRIVED, 1) + 1 === this.#parties) {
      Atomics.store(words, ARRIVED, 0)
      Atomics.add(words, GENERATION, 1)
      Atomics.notify(words, GENERATION)
      return
    }
    for (let spins = 0; Atomics.load(words, GENERATION) === generation; spins++) {
      if (Atomics.load(words, BROKEN) !== 0) throw new Error('another worker failed')
      if (spins >= SPINS) sleepWhile(words, GENERATION, generation)
    }
  }

  /** For a party that will not come any more: all others throw. */
  break(): void {
    Atomics.store(this.#words, BROKEN, 1)
    Atomics.notify(this.#words, GENERATION)
  }
}
