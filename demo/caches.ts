import { LRUCache } from 'lru-cache'
import { ConcurrentMap, type DeepReadonly, type MapHandle } from 'mapsafe'
import type { Session } from './session.js'

/** Which cache a worker opens. */
export type CacheSetup =
  { readonly kind: 'shared'; readonly handle: MapHandle } | { readonly kind: 'private'; readonly capacity: number }

/** What the service needs of a cache. */
export interface SessionCache {
  get(id: string): DeepReadonly<Session> | undefined
  /** Stores what was loaded after a miss, unless someone was faster. Returns what the cache holds now. */
  fill(id: string, loaded: Session): DeepReadonly<Session>
  /** Stores a changed session, unless the cache has a newer one. */
  put(id: string, changed: Session): void
}

export function openCache(setup: CacheSetup): SessionCache {
  return setup.kind === 'shared' ? new SharedCache(setup.handle) : new PrivateCache(setup.capacity)
}

/** One map for all workers. */
class SharedCache implements SessionCache {
  readonly #map: ConcurrentMap<string, Session>

  constructor(handle: MapHandle) {
    this.#map = ConcurrentMap.attach(handle)
  }

  get(id: string): DeepReadonly<Session> | undefined {
    return this.#map.get(id)
  }

  fill(id: string, loaded: Session): DeepReadonly<Session> {
    return this.#map.getOrInsert(id, loaded)
  }

  put(id: string, changed: Session): void {
    putNewer(this.#map, id, changed)
  }
}

/** Stores a changed session in a shared map, unless it has a newer one. */
export function putNewer(map: ConcurrentMap<string, Session>, id: string, changed: Session): void {
  for (;;) {
    const entry = map.getEntry(id)
    if (entry !== undefined && entry.value.version >= changed.version) return
    if (map.setIfVersion(id, changed, entry?.version ?? 0)) return
  }
}

/**
 * A cache of this worker alone. It holds as many sessions as there are, so that it forgets as little as the map does.
 */
class PrivateCache implements SessionCache {
  readonly #cache: LRUCache<string, Session>

  constructor(capacity: number) {
    this.#cache = new LRUCache({ max: capacity })
  }

  get(id: string): Session | undefined {
    return this.#cache.get(id)
  }

  fill(id: string, loaded: Session): Session {
    this.#cache.set(id, loaded)
    return loaded
  }

  put(id: string, changed: Session): void {
    const cached = this.#cache.get(id)
    if (cached === undefined || cached.version < changed.version) this.#cache.set(id, changed)
  }
}
