/** The entry `mapsafe/rate-limit`: counts of requests that all threads and processes share. */
import { readOptions, wrongInput } from '../base/arguments.js'
import type { ConcurrentCache } from '../public/concurrent-cache.js'
import { DELETE } from '../public/delete-marker.js'
import { checkCache, deletePrefixed } from './shared-cache.js'

/** Options of {@link RateLimitStore} and {@link fastifyRateLimitStore}. */
export interface RateLimitStoreOptions {
  /**
   * What stands before the key of each client. Limiters that share a cache need different ones, or they count together.
   * Default: `'rate-limit:'`.
   */
  readonly prefix?: string | undefined
}

/** The count of a client, in the form that express-rate-limit takes. */
export interface RateLimitInfo {
  /** Number of requests in the window. */
  readonly totalHits: number
  /** The end of the window. */
  readonly resetTime: Date
}

/** express-rate-limit's `windowMs` if it does not say. */
const DEFAULT_WINDOW_MS = 60_000
const DEFAULT_PREFIX = 'rate-limit:'

type Counts = ConcurrentCache<string, number>

/**
 * The store of an [express-rate-limit](https://www.npmjs.com/package/express-rate-limit) whose counts all threads and
 * processes share that have the cache open: `rateLimit({ limit: 50, store: new RateLimitStore(cache) })`.
 *
 * The limit is exact: a window begins with a client's first request and ends by itself, and no request is counted twice
 * or not at all, even where processes are killed. A cache that is full evicts counts, so give it the room; see
 * `stats().counters.evicted`.
 */
export class RateLimitStore {
  /** Tells express-rate-limit that the counts are shared. */
  readonly localKeys = false
  /** What stands before the key of each client. */
  readonly prefix: string
  readonly #cache: Counts
  #windowMs = DEFAULT_WINDOW_MS

  /**
   * @param cache a cache for the counts, which it may hold among other entries
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong argument or option
   */
  constructor(cache: ConcurrentCache<string, number>, options: RateLimitStoreOptions = {}) {
    checkCache(cache)
    this.prefix = readPrefix(options)
    this.#cache = cache
  }

  /**
   * Called by express-rate-limit with its options.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `windowMs` is no number above 0
   */
  init(options: { readonly windowMs: number }): void {
    const { windowMs } = options
    if (!(windowMs > 0 && windowMs < Infinity)) {
      throw wrongInput('Option windowMs', windowMs, 'a finite number of milliseconds above 0')
    }
    this.#windowMs = windowMs
  }

  /** Returns the count of a client without changing it; undefined if there is none. */
  get(key: string): RateLimitInfo | undefined {
    const entry = this.#cache.peekEntry(this.prefix + key)
    return entry === undefined ? undefined : info(entry.value, entry.expiresAt)
  }

  /** Counts a request. */
  increment(key: string): RateLimitInfo {
    const { value, expiresAt } = this.#cache.incrementEntry(this.prefix + key, 1, { ttl: this.#windowMs })
    return info(value, expiresAt)
  }

  /**
   * Takes a request back. Begins no window if that of the request has ended, and makes no count negative where another
   * one has begun meanwhile.
   */
  decrement(key: string): void {
    this.#cache.update(this.prefix + key, (hits) => (hits === undefined ? DELETE : Math.max(hits - 1, 0)))
  }

  /** Ends the window of a client. */
  resetKey(key: string): void {
    this.#cache.delete(this.prefix + key)
  }

  /** Ends all windows with this prefix. O(keys of the cache). */
  resetAll(): void {
    deletePrefixed(this.#cache, this.prefix)
  }

  /** Does nothing: the cache belongs to its opener. */
  shutdown(): void {
    // Nothing of the store's own to release.
  }
}

/** What a store needs of the options of `@fastify/rate-limit`; for a route that has some of its own, also the route. */
interface Parameters {
  readonly continueExceeding?: boolean
  readonly exponentialBackoff?: boolean
  readonly routeInfo?: { readonly method?: string | readonly string[]; readonly url?: string }
}

/** Called with the count of a client and the milliseconds until its window ends. */
export type FastifyRateLimitCallback = (error: Error | null, result?: { current: number; ttl: number }) => void

/** The store of a `@fastify/rate-limit`, made by {@link fastifyRateLimitStore}. */
export interface FastifyRateLimitStore {
  /** Counts a request. */
  incr(key: string, callback: FastifyRateLimitCallback, timeWindow: number, max: number): void
  /** Looks at a count without changing it. */
  read(key: string, callback: FastifyRateLimitCallback): void
  /** Makes the store of a route, which counts for itself, from the options of the plugin and the route. */
  child(parameters: object): FastifyRateLimitStore
}

/**
 * Makes what [@fastify/rate-limit](https://www.npmjs.com/package/@fastify/rate-limit) takes as `store`:
 * `app.register(rateLimit, { max: 50, store: fastifyRateLimitStore(cache) })`. Exact as {@link RateLimitStore} is;
 * `continueExceeding` and `exponentialBackoff` work, too.
 *
 * @param cache a cache for the counts, which it may hold among other entries
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong argument or option
 */
export function fastifyRateLimitStore(
  cache: ConcurrentCache<string, number>,
  options: RateLimitStoreOptions = {},
): new (parameters: object) => FastifyRateLimitStore {
  checkCache(cache)
  const prefix = readPrefix(options)
  return class extends FastifyStore {
    constructor(parameters: object) {
      super(cache, prefix, parameters)
    }
  }
}

class FastifyStore implements FastifyRateLimitStore {
  readonly #cache: Counts
  readonly #prefix: string
  readonly #parameters: Parameters

  constructor(cache: Counts, prefix: string, parameters: Parameters) {
    this.#cache = cache
    this.#prefix = prefix
    this.#parameters = parameters
  }

  incr(key: string, callback: FastifyRateLimitCallback, timeWindow: number, max: number): void {
    answer(callback, () => {
      const own = this.#prefix + key
      const counted = this.#cache.incrementEntry(own, 1, { ttl: Math.max(timeWindow, 1) })
      const ttl = this.#extension(counted.value - max, timeWindow)
      if (ttl === undefined) return counted
      // A step of its own: if the window ended just now, there is nothing to make longer.
      return this.#cache.incrementEntry(own, 0, { ttl, renew: true, ifPresent: true }) ?? counted
    })
  }

  read(key: string, callback: FastifyRateLimitCallback): void {
    answer(callback, () => this.#cache.peekEntry(this.#prefix + key))
  }

  child(parameters: Parameters): FastifyRateLimitStore {
    const { method = '', url = '' } = parameters.routeInfo ?? {}
    return new FastifyStore(this.#cache, `${this.#prefix}${String(method)}${url}-`, parameters)
  }

  /** Returns for how long a client that is `excess` requests above the limit must wait; undefined: to the window's end. */
  #extension(excess: number, timeWindow: number): number | undefined {
    if (excess <= 0) return undefined
    if (this.#parameters.continueExceeding === true) return Math.max(timeWindow, 1)
    if (this.#parameters.exponentialBackoff !== true) return undefined
    return Math.max(Math.min(timeWindow * 2 ** (excess - 1), Number.MAX_SAFE_INTEGER), 1)
  }
}

function answer(
  callback: FastifyRateLimitCallback,
  look: () => { readonly value: number; readonly expiresAt: number | undefined } | undefined,
): void {
  let result: { current: number; ttl: number }
  try {
    const entry = look()
    result = { current: entry?.value ?? 0, ttl: entry === undefined ? 0 : rest(entry.expiresAt) }
  } catch (error) {
    callback(error as Error)
    return
  }
  callback(null, result)
}

function rest(expiresAt: number | undefined): number {
  return Math.max((expiresAt ?? Infinity) - Date.now(), 0)
}

function info(totalHits: number, expiresAt: number | undefined): RateLimitInfo {
  return { totalHits, resetTime: new Date(expiresAt ?? NaN) }
}

function readPrefix(options: RateLimitStoreOptions): string {
  const { prefix = DEFAULT_PREFIX } = readOptions(options, ['prefix'])
  if (typeof prefix !== 'string') throw wrongInput('Option prefix', prefix, 'a string')
  return prefix
}
