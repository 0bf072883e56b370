import { randomNumbers } from '../harness/draws.js'
import { KEY_BYTES, type Mix } from './mixes.js'

// An operation is two words: a key, and the bytes of its new value plus 1, or 0 to delete it. ALL as a key means
// everything: 0 clears, 1 lets everything expire.
export const ALL = 2 ** 32 - 1
export const CLEAR = 0
export const EXPIRE = 1

/** An operation on a growing list of them, and the model of what is there after it, whatever holds it. */
export class Planner {
  readonly random: () => number
  /** Bytes of keys and values that are there. */
  bytes = 0
  #operations = new Uint32Array(2 ** 16)
  #used = 0
  readonly #sizes = new Map<number, number>()
  /** The keys that are there, in no order, and where each is in that list. */
  readonly #keys: number[] = []
  readonly #places = new Map<number, number>()
  #nextKey = 0
  #oldest = 0

  /** @param maxBytes of the map for which the history is made */
  constructor(
    readonly maxBytes: number,
    seed: number,
  ) {
    this.random = randomNumbers(seed)
  }

  get operations(): Uint32Array {
    return this.#operations.subarray(0, this.#used)
  }

  /** The bytes that a map holds by the promise for `mix`, times `share`. */
  room(mix: Mix, share = 1): number {
    return Math.floor(this.maxBytes * mix.promise * share)
  }

  set(key: number, size: number): void {
    const before = this.#sizes.get(key)
    if (before === undefined) {
      this.#places.set(key, this.#keys.length)
      this.#keys.push(key)
    }
    this.bytes += size - (before ?? -KEY_BYTES)
    this.#sizes.set(key, size)
    this.#add(key, size + 1)
  }

  delete(key: number): void {
    const size = this.#sizes.get(key)
    if (size === undefined) return
    const place = this.#places.get(key)!
    const last = this.#keys.pop()!
    if (last !== key) {
      this.#keys[place] = last
      this.#places.set(last, place)
    }
    this.#places.delete(key)
    this.#sizes.delete(key)
    this.bytes -= size + KEY_BYTES
    this.#add(key, 0)
  }

  clear(how: typeof CLEAR | typeof EXPIRE = CLEAR): void {
    this.#keys.length = 0
    this.#places.clear()
    this.#sizes.clear()
    this.bytes = 0
    this.#add(ALL, how)
  }

  /** Inserts new keys until the next one would bring the bytes above `bytes`. */
  fill(mix: Mix, bytes: number): void {
    for (;;) {
      const size = mix.size(this.random)
      if (this.bytes + size + KEY_BYTES > bytes) return
      this.set(this.#nextKey++, size)
    }
  }

  /** Deletes random entries until no more than `bytes` are there. */
  dropTo(bytes: number): void {
    while (this.bytes > bytes && this.#keys.length > 0) this.delete(this.#randomKey())
  }

  /**
   * Writes `bytes` bytes of new entries, and deletes random ones, or the oldest, so that no more than `most` are there.
   */
  churn(mix: Mix, bytes: number, most: number, which: 'random' | 'oldest' = 'random'): void {
    for (let left = bytes; left > 0;) {
      const size = mix.size(this.random)
      while (this.bytes + size + KEY_BYTES > most && this.#keys.length > 0) {
        this.delete(which === 'random' ? this.#randomKey() : this.#oldestKey())
      }
      this.set(this.#nextKey++, size)
      left -= size + KEY_BYTES
    }
  }

  /** Overwrites `bytes` bytes of random entries with values of other sizes; never with more than `most` bytes in all. */
  overwrite(mix: Mix, bytes: number, most: number): void {
    for (let left = bytes; left > 0;) {
      const key = this.#randomKey()
      const size = mix.size(this.random)
      left -= size + KEY_BYTES
      if (this.bytes - this.#sizes.get(key)! + size <= most) this.set(key, size)
      else this.delete(key)
      if (this.#keys.length === 0) this.fill(mix, most / 2)
    }
  }

  /** Lets random entries grow by `step` bytes each, until `bytes` are written; those longer than `longest` begin anew. */
  grow(step: number, longest: number, bytes: number, most: number): void {
    for (let left = bytes; left > 0;) {
      const key = this.#randomKey()
      const size = this.#sizes.get(key)! + step
      const next = size > longest ? step : size
      left -= next + KEY_BYTES
      if (this.bytes + step <= most) this.set(key, next)
      else this.delete(key)
    }
  }

  #randomKey(): number {
    return this.#keys[Math.floor(this.random() * this.#keys.length)]
  }

  #oldestKey(): number {
    while (!this.#sizes.has(this.#oldest)) this.#oldest++
    return this.#oldest
  }

  #add(key: number, what: number): void {
    if (this.#used + 2 > this.#operations.length) {
      const larger = new Uint32Array(this.#operations.length * 2)
      larger.set(this.#operations)
      this.#operations = larger
    }
    this.#operations[this.#used++] = key
    this.#operations[this.#used++] = what
  }
}
