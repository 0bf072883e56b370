import { FairClock } from './fair-clock.js'

/** Milliseconds between two readings of the fair clock, which takes some itself. */
const PAUSE_MS = 30

/**
 * The longest of many calls, in milliseconds, less the time for which the test waited for a processor: a {@link
 * FairClock} is read where enough calls have passed, and after every long one.
 */
export class Stopwatch {
  #longest = 0
  readonly #fair = new FairClock()
  #read = performance.now()
  #fairAtReading = 0

  get longest(): number {
    return this.#longest
  }

  time<T>(call: () => T): T {
    const start = performance.now()
    const result = call()
    const end = performance.now()
    let took = end - start
    if (end - this.#read > PAUSE_MS) {
      const fair = this.#fair.now()
      took = Math.min(took, fair - this.#fairAtReading)
      this.#fairAtReading = fair
      this.#read = performance.now()
    }
    this.#longest = Math.max(this.#longest, took)
    return result
  }
}
