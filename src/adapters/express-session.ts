/** The entry `mapsafe/express-session`: sessions that all threads and processes share. */
import { readOptions, wrongInput } from '../base/arguments.js'
import type { ConcurrentCache } from '../public/concurrent-cache.js'
import { checkCache, deletePrefixed } from './shared-cache.js'

/** Options of {@link sessionStore}. */
export interface SessionStoreOptions {
  /**
   * What stands before the id of each session. Stores that share a cache need different ones. Default: `'session:'`.
   */
  readonly prefix?: string | undefined
  /** Milliseconds that a session lives whose cookie has no expiry. Default: 86,400,000, a day. */
  readonly ttl?: number | undefined
}

/** A session, as far as a store looks at it. */
export interface SessionData {
  /** Its cookie. */
  readonly cookie?: {
    /** When the session ends. */
    readonly expires?: Date | string | boolean | null | undefined
  }
}

/** Called with an error, or with null and the result. */
export type SessionCallback<T = void> = (error: unknown, result?: T) => void

/** What express-session asks of a store, and what it offers beyond. Results and errors come by callbacks. */
export interface SessionStore {
  /** Gives a session, made anew for each call; null if there is none. */
  get(id: string, callback: SessionCallback<object | null>): void
  /** Stores a session. One that came from the store is only replaced: if it was destroyed meanwhile, it stays so. */
  set(id: string, session: SessionData, callback?: SessionCallback): void
  /** Makes the lifetime of a session begin anew, without writing the session. */
  touch(id: string, session: SessionData, callback?: SessionCallback): void
  /** Deletes a session. */
  destroy(id: string, callback?: SessionCallback): void
  /** Gives all sessions with the store's prefix. O(keys of the cache). */
  all(callback: SessionCallback<object[]>): void
  /** Gives the number of sessions with the store's prefix. O(keys of the cache). */
  length(callback: SessionCallback<number>): void
  /** Deletes all sessions with the store's prefix. O(keys of the cache). */
  clear(callback?: SessionCallback): void
}

/** The module express-session, as far as it is needed: what its stores are made of. */
export interface SessionHost<S extends object> {
  /** The base class of stores. */
  readonly Store: {
    /** What all stores have. */
    readonly prototype: S
  }
}

interface Base {
  createSession?(request: unknown, session: object): object
}

const DEFAULT_PREFIX = 'session:'
const DAY_MS = 86_400_000

/**
 * Makes a store of an [express-session](https://www.npmjs.com/package/express-session) whose sessions all threads and
 * processes share that have the cache open: `session({ store: sessionStore(session, cache), secret })`.
 *
 * A session is stored as JSON, as other stores do it, and lives as long as its cookie. A cache that is full evicts the
 * sessions that are used least; see `stats().counters.evicted`.
 *
 * @param session the module express-session
 * @param cache a cache for the sessions, which it may hold among other entries
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong argument or option
 */
export function sessionStore<S extends object>(
  session: SessionHost<S>,
  cache: ConcurrentCache<string, string>,
  options: SessionStoreOptions = {},
): S & SessionStore {
  if (typeof (session as Partial<SessionHost<S>> | undefined)?.Store !== 'function') {
    throw wrongInput('Argument session', session, 'the module express-session')
  }
  checkCache(cache)
  const { prefix = DEFAULT_PREFIX, ttl = DAY_MS } = readOptions(options, ['prefix', 'ttl'])
  if (typeof prefix !== 'string') throw wrongInput('Option prefix', prefix, 'a string')
  if (typeof ttl !== 'number' || !(ttl > 0)) throw wrongInput('Option ttl', ttl, 'a number of milliseconds above 0')

  const HostStore = session.Store as unknown as new () => Base
  /** Session objects that stand for a session in the store. */
  const stored = new WeakSet()
  const keys = (): string[] => [...cache.keys()].filter((key) => key.startsWith(prefix))

  /** Milliseconds that a session has left; 0 if its cookie has expired. */
  function lifetimeOf({ cookie }: SessionData): number {
    const expires = cookie?.expires
    if (expires === undefined || expires === null || typeof expires === 'boolean') return ttl
    return Math.max(new Date(expires).getTime() - Date.now(), 0)
  }

  class Store extends HostStore implements SessionStore {
    get(id: string, callback: SessionCallback<object | null>): void {
      answer(callback, () => {
        const text = cache.get(prefix + id)
        return text === undefined ? null : (JSON.parse(text) as object)
      })
    }

    set(id: string, session: SessionData, callback?: SessionCallback): void {
      answer(callback, () => {
        const lifetime = lifetimeOf(session)
        if (lifetime === 0) cache.delete(prefix + id)
        else if (stored.has(session)) cache.replace(prefix + id, JSON.stringify(session), { ttl: lifetime })
        else {
          cache.set(prefix + id, JSON.stringify(session), { ttl: lifetime })
          stored.add(session)
        }
      })
    }

    touch(id: string, session: SessionData, callback?: SessionCallback): void {
      answer(callback, () => {
        const lifetime = lifetimeOf(session)
        if (lifetime === 0) cache.delete(prefix + id)
        else cache.touch(prefix + id, lifetime)
      })
    }

    destroy(id: string, callback?: SessionCallback): void {
      answer(callback, () => void cache.delete(prefix + id))
    }

    all(callback: SessionCallback<object[]>): void {
      answer(callback, () =>
        cache.getMany(keys()).flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as object])),
      )
    }

    length(callback: SessionCallback<number>): void {
      answer(callback, () => keys().length)
    }

    clear(callback?: SessionCallback): void {
      answer(callback, () => deletePrefixed(cache, prefix))
    }

    /** Called by express-session with what {@link Store.get} gave, for the session object of a request. */
    override createSession(request: unknown, data: object): object {
      const session = super.createSession!(request, data)
      stored.add(session)
      return session
    }
  }
  return new Store() as unknown as S & SessionStore
}

/** Calls back later, as stores that ask a server do. */
function answer<T>(callback: SessionCallback<T> | undefined, work: () => T): void {
  let error: unknown = null
  let result: T | undefined
  try {
    result = work()
  } catch (thrown) {
    error = thrown
  }
  if (callback !== undefined) queueMicrotask(() => callback(error, result))
}
