/** The most keys that are counted at a time. */
const MOST = 1024
const WINDOW_MS = 1000

/**
 * Counts of the keys that are called most, within windows of a second. They are those of Misra and Gries, "Finding
 * repeated elements" (1982): with too many keys at once, all counts become smaller together. So a count is never too
 * large, and too small by a thousandth of all calls at most.
 */
export class Rates {
  readonly #counts = new Map<unknown, number>()
  #end = -Infinity

  /** Number of keys counted. */
  get size(): number {
    return this.#counts.size
  }

  /** Counts a call at time `now`, in milliseconds. @returns the calls of that key in the window. O(1), amortized. */
  count(key: unknown, now: number): number {
    if (now >= this.#end) {
      this.#counts.clear()
      this.#end = now + WINDOW_MS
    }
    const count = (this.#counts.get(key) ?? 0) + 1
    if (count === 1 && this.#counts.size >= MOST) this.#lower()
    else this.#counts.set(key, count)
    return count
  }

  #lower(): void {
    for (const [key, count] of this.#counts) {
      if (count === 1) this.#counts.delete(key)
      else this.#counts.set(key, count - 1)
    }
  }
}
