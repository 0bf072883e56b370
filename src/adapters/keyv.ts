/* eslint @typescript-eslint/require-await: off -- Keyv 6 wants promises, and errors as rejections */
/** The entry `mapsafe/keyv`: a cache as the store of a Keyv 6. For Keyv 5 there is `mapsafe/keyv5`. */
import type { ConcurrentCache } from '../public/concurrent-cache.js'
import type { LifetimeOptions } from '../public/lifetime.js'
import { checkCache, deletePrefixed } from './shared-cache.js'

/** Stands between namespace and key. */
const SEPARATOR = '::'

/**
 * The store of a [Keyv](https://keyv.org) 6: `new Keyv({ store: new KeyvStore(cache) })`. Entries are shared by all
 * threads and processes that have the cache open, and expire and are evicted by the cache. An entry without an expiry
 * has the `ttl` of the cache.
 */
export class KeyvStore {
  /** Set by Keyv. The keys of a namespace begin with `NAMESPACE::` in the cache. */
  namespace: string | undefined
  /** Tells Keyv that `set` takes the time at which an entry expires. */
  readonly capabilities: object = { compatible: true, store: 'keyvStorage', expires: true }
  readonly #cache: ConcurrentCache<string, unknown>

  /** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `cache` is no ConcurrentCache */
  constructor(cache: ConcurrentCache<string, unknown>) {
    checkCache(cache)
    this.#cache = cache
  }

  /** Returns a value; undefined if there is none. */
  async get(key: string): Promise<unknown> {
    return this.#cache.get(this.#prefix() + key)
  }

  /** Returns the values of `keys`. */
  async getMany(keys: string[]): Promise<unknown[]> {
    return this.#cache.getMany(this.#own(keys))
  }

  /** Returns whether there is an entry. */
  async has(key: string): Promise<boolean> {
    return this.#cache.has(this.#prefix() + key)
  }

  /** Returns for each key whether there is an entry. */
  async hasMany(keys: string[]): Promise<boolean[]> {
    return this.#cache.hasMany(this.#own(keys))
  }

  /**
   * Stores a value. A time in the past deletes what was there.
   *
   * @param expires milliseconds of the system's clock
   */
  async set(key: string, value: unknown, expires?: number): Promise<boolean> {
    this.#cache.set(this.#prefix() + key, value, lifetimeOf(expires))
    return true
  }

  /** Stores all entries, each with its own expiry. */
  async setMany(entries: { key: string; value: unknown; expires?: number }[]): Promise<boolean[]> {
    const prefix = this.#prefix()
    this.#cache.setMany(entries.map(({ key, value, expires }) => [prefix + key, value, lifetimeOf(expires)]))
    return entries.map(() => true)
  }

  /** Returns whether there was an entry. */
  async delete(key: string): Promise<boolean> {
    return this.#cache.delete(this.#prefix() + key)
  }

  /** Returns for each key whether there was an entry. */
  async deleteMany(keys: string[]): Promise<boolean[]> {
    return this.#cache.deleteMany(this.#own(keys), { which: true })
  }

  /** Deletes the entries of the namespace; without one, all. */
  async clear(): Promise<void> {
    const prefix = this.#prefix()
    if (prefix === '') this.#cache.clear()
    else deletePrefixed(this.#cache, prefix)
  }

  /** Iterates over the keys of the namespace, without it, and their values. */
  async *iterator(): AsyncGenerator<[string, unknown], void> {
    const prefix = this.#prefix()
    for (const [key, value] of this.#cache) if (key.startsWith(prefix)) yield [key.slice(prefix.length), value]
  }

  #prefix(): string {
    return this.namespace === undefined || this.namespace === '' ? '' : this.namespace + SEPARATOR
  }

  #own(keys: readonly string[]): string[] {
    const prefix = this.#prefix()
    return keys.map((key) => prefix + key)
  }
}

/** A time long past is one in the past, too: a cache takes none below 1. */
function lifetimeOf(expires: number | undefined): LifetimeOptions | undefined {
  return expires === undefined ? undefined : { expiresAt: Math.max(expires, 1) }
}
