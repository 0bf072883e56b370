import { LRUCache } from 'lru-cache'
import { ConcurrentCache, type CacheHandle, type DeepReadonly } from 'mapsafe'
import { putNewer, type CacheSetup } from './caches.js'
import type { Session } from './session.js'

/** How long a session is kept, in both caches: what bounds the age of stale data in private ones. Milliseconds. */
export const TTL = 1000

/** What the database takes for a session, in milliseconds. */
export const LOAD_MILLISECONDS = 2

/** Loads a session from the database. */
export type Load = (id: string) => Promise<Session>

/** What the service needs of a cache that loads what it misses. */
export interface LoadingCache {
  /** What the cache holds, or what was loaded for it: by one call for all that wait for it. */
  get(id: string): Promise<DeepReadonly<Session>>
  /** Stores a changed session, unless the cache has a newer one. */
  put(id: string, changed: Session): void
}

export function openLoadingCache(setup: CacheSetup, load: Load): LoadingCache {
  return setup.kind === 'shared'
    ? new SharedLoadingCache(setup.handle as CacheHandle, load)
    : new PrivateLoadingCache(setup.capacity, load)
}

/** One cache for all workers. */
class SharedLoadingCache implements LoadingCache {
  readonly #cache: ConcurrentCache<string, Session>
  readonly #load: Load

  constructor(handle: CacheHandle, load: Load) {
    this.#cache = ConcurrentCache.attach(handle)
    this.#load = load
  }

  get(id: string): Promise<DeepReadonly<Session>> {
    return this.#cache.getOrLoad(id, this.#load)
  }

  put(id: string, changed: Session): void {
    putNewer(this.#cache, id, changed)
  }
}

/** A cache of this worker alone. It, too, loads once for all who wait, but only of this worker. */
class PrivateLoadingCache implements LoadingCache {
  readonly #cache: LRUCache<string, Session>

  constructor(capacity: number, load: Load) {
    this.#cache = new LRUCache({ max: capacity, ttl: TTL, fetchMethod: load, ignoreFetchAbort: true })
  }

  async get(id: string): Promise<Session> {
    return this.#cache.forceFetch(id)
  }

  put(id: string, changed: Session): void {
    const cached = this.#cache.get(id)
    if (cached === undefined || cached.version < changed.version) this.#cache.set(id, changed)
  }
}
