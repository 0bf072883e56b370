import type { Key } from '../../format/key.js'

/** A key that a thread uses often; see {@link MapStats.hotKeys}. */
export interface HotKey<K extends Key = Key> {
  /** The key itself. */
  readonly key: K
  /** The least part that the key has in the thread's sampled operations: a number above 0, at most 1. */
  readonly share: number
}

/** Number of keys that are counted at a time. Every key with more than 1/64 of the samples is among them. */
const COUNTERS = 64

/** One operation in so many, on average, is sampled: so few that a sample, of some 100 ns, is not noticeable. */
const SAMPLE_PERIOD = 64

/** Number of samples at which all counts are halved, so that keys that were hot long ago make room. */
const MAX_SAMPLES = 65_536

/**
 * The keys that one thread uses most, found in constant memory from a sample of its operations. The sketch is
 * Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams",
 * ICDT 2005): a key without a counter takes over the smallest counter with its count, and remembers that count as its
 * greatest error.
 *
 * Thread safety: one thread.
 */
export class HotKeys {
  readonly #indices = new Map<Key, number>()
  readonly #keys: Key[] = []
  readonly #counts = new Float64Array(COUNTERS)
  readonly #errors = new Float64Array(COUNTERS)
  #samples = 0
  /** No count is below it. */
  #floor = 1
  /**
   * Where the last counter at the floor was found. The search for the next begins behind it, so that all have their
   * turn.
   */
  #hand = 0
  #untilSample = 1

  /** @param random as `Math.random` */
  constructor(private readonly random: () => number = Math.random) {}

  /**
   * Notes an operation on `key`, which may be sampled. O(1), amortized. `Uint8Array` keys are left out: a `Map`
   * compares them by identity.
   */
  note(key: Key): void {
    if (--this.#untilSample > 0) return
    // Gaps have random lengths: otherwise the same key of a loop over 64 keys would be sampled every time.
    this.#untilSample = 1 + Math.floor(this.random() * (2 * SAMPLE_PERIOD - 1))
    if (isCounted(key)) this.count(key)
  }

  /** Counts a sample of `key`. */
  count(key: Key): void {
    if (this.#samples >= MAX_SAMPLES) this.#halve()
    this.#samples++
    let index = this.#indices.get(key)
    if (index === undefined) {
      index = this.#keys.length < COUNTERS ? this.#keys.length : this.#takeOver()
      this.#keys[index] = key
      this.#indices.set(key, index)
    }
    this.#counts[index]++
  }

  /** Returns the keys with the largest certain shares, largest first. O(counters). */
  top(limit: number): HotKey[] {
    return this.#keys
      .map((key, i) => ({ key, share: (this.#counts[i] - this.#errors[i]) / this.#samples }))
      .sort((a, b) => b.share - a.share)
      .slice(0, limit)
  }

  /** Frees the counter with the smallest count, and returns its index. */
  #takeOver(): number {
    const index = this.#smallest()
    this.#indices.delete(this.#keys[index])
    this.#errors[index] = this.#counts[index]
    return index
  }

  #smallest(): number {
    for (let i = 0; i < COUNTERS; i++) {
      this.#hand = (this.#hand + 1) % COUNTERS
      if (this.#counts[this.#hand] === this.#floor) return this.#hand
    }
    let smallest = 0
    for (let i = 1; i < COUNTERS; i++) if (this.#counts[i] < this.#counts[smallest]) smallest = i
    this.#floor = this.#counts[smallest]
    return smallest
  }

  /** Halves all counts. The halves are exact, so equal counts stay equal. */
  #halve(): void {
    for (let i = 0; i < COUNTERS; i++) {
      this.#counts[i] /= 2
      this.#errors[i] /= 2
    }
    this.#samples /= 2
    this.#floor /= 2
  }
}

/**
 * Returns whether `key` is a key, since a caller may have passed anything, and one that a `Map` compares by content.
 */
function isCounted(key: unknown): boolean {
  return typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean'
}
