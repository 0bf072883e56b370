const PERIOD_MS = 60_000
/** The most keys that are remembered. Where more are warned of within a minute, the rest says nothing new. */
const MOST = 1024

/** Lets each key pass once a minute, and no more than a thousand keys a minute. */
export class Once {
  /** When each key passed, the earliest first. */
  readonly #passed = new Map<unknown, number>()

  /** Number of keys remembered. */
  get size(): number {
    return this.#passed.size
  }

  /** Returns whether `key` may pass at time `now`, in milliseconds, and then notes that it did. O(1), amortized. */
  passes(key: unknown, now: number): boolean {
    for (const [earliest, time] of this.#passed) {
      if (now - time < PERIOD_MS) break
      this.#passed.delete(earliest)
    }
    if (this.#passed.has(key) || this.#passed.size >= MOST) return false
    this.#passed.set(key, now)
    return true
  }
}
