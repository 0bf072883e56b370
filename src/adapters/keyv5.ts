/** The entry `mapsafe/keyv5`: a cache as the store of a Keyv 5, which cache-manager 7 and cacheable 2 take, too. */
import type { ConcurrentCache } from '../public/concurrent-cache.js'
import { checkCache, deletePrefixed } from './shared-cache.js'

/**
 * The store of a [Keyv](https://keyv.org) 5: `new Keyv({ store: new KeyvStore(cache) })`. Entries are shared by all
 * threads and processes that have the cache open, and expire and are evicted by the cache. An entry without a `ttl` has
 * that of the cache.
 */
export class KeyvStore {
  /** Set by Keyv, which puts `NAMESPACE:` before every key. */
  namespace: string | undefined
  /** Keyv iterates only over stores of the kinds that it lists here. */
  readonly opts: object = { dialect: 'redis', url: '' }
  readonly #cache: ConcurrentCache<string, unknown>

  /** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `cache` is no ConcurrentCache */
  constructor(cache: ConcurrentCache<string, unknown>) {
    checkCache(cache)
    this.#cache = cache
  }

  /** Returns a value; undefined if there is none. */
  get(key: string): unknown {
    return this.#cache.get(key)
  }

  /** Returns the values of `keys`. */
  getMany(keys: string[]): unknown[] {
    return this.#cache.getMany(keys)
  }

  /** Returns whether there is an entry. */
  has(key: string): boolean {
    return this.#cache.has(key)
  }

  /** Returns for each key whether there is an entry. */
  hasMany(keys: string[]): boolean[] {
    return this.#cache.hasMany(keys)
  }

  /**
   * Stores a value.
   *
   * @param ttl milliseconds
   */
  set(key: string, value: unknown, ttl?: number): void {
    this.#cache.set(key, value, { ttl })
  }

  /** Stores all entries, each with its own `ttl`. */
  setMany(entries: { key: string; value: unknown; ttl?: number }[]): void {
    this.#cache.setMany(entries.map(({ key, value, ttl }) => [key, value, ttl === undefined ? undefined : { ttl }]))
  }

  /** Returns whether there was an entry. */
  delete(key: string): boolean {
    return this.#cache.delete(key)
  }

  /** Returns whether there was an entry of one of the keys. */
  deleteMany(keys: string[]): boolean {
    return this.#cache.deleteMany(keys) > 0
  }

  /** Deletes the entries of the namespace; without one, all. */
  clear(): void {
    if (this.namespace === undefined) this.#cache.clear()
    else deletePrefixed(this.#cache, `${this.namespace}:`)
  }

  /** Iterates over keys, as they are stored, and values. */
  *iterator(namespace?: string): Generator<[string, unknown], void> {
    for (const entry of this.#cache) {
      if (namespace === undefined || entry[0].startsWith(`${namespace}:`)) yield entry
    }
  }
}
