/* eslint @typescript-eslint/require-await: off -- Next.js wants promises, and errors as rejections */
/** The entry `mapsafe/next`: the caches of Next.js, shared by all processes that serve. */
import { readOptions, wrongInput } from '../base/arguments.js'
import { MapsafeError } from '../base/errors.js'
import { ConcurrentCache } from '../public/concurrent-cache.js'
import { ConcurrentMap } from '../public/concurrent-map.js'
import type { ConcurrentCacheOptions } from '../public/options.js'
import { Revalidations, type Moment } from './next-tags.js'
import { bytesOf, opened, streamOf } from './next-values.js'
import { checkCache } from './shared-cache.js'

/**
 * Options of {@link cacheComponentsHandler} and {@link cacheHandler}: a cache and a map, or how to open both by a name, as
 * `ConcurrentCache.open` does. With `file`, tags are in a second file beside it, `FILE.tags`.
 */
export interface NextCacheOptions extends ConcurrentCacheOptions {
  /** The cache that holds the entries, perhaps among others. Needs `tags`. */
  readonly cache?: ConcurrentCache<string, unknown> | undefined
  /** The map that holds when tags were revalidated, and nothing else. It is no cache, since no tag may be forgotten. */
  readonly tags?: ConcurrentMap<string, unknown> | undefined
  /** The name of what to open with the other options. Default: `'next'`. */
  readonly name?: string | undefined
  /** What stands before each key. Pages of different builds need different ones. Default: nothing. */
  readonly prefix?: string | undefined
  /** Bytes of the map of tags that is opened; some 200 for each tag. Default: 4 MiB. */
  readonly tagBytes?: number | undefined
}

/** An entry of `'use cache'`, as Next.js gives and takes it. */
export interface CacheComponentsEntry {
  /** Its bytes. The stream may fail in the middle. */
  readonly value: ReadableStream<Uint8Array>
  /** Its tags. */
  readonly tags: string[]
  /** Seconds that a browser may keep it. */
  readonly stale: number
  /** When it was begun, in milliseconds since 1970. */
  readonly timestamp: number
  /** Seconds until it must not be used any more. */
  readonly expire: number
  /** Seconds until it is made anew. */
  readonly revalidate: number
}

/** How soon entries whose tag is revalidated end. */
export interface RevalidationDurations {
  /** Seconds for which they may still be served, while they are made anew. */
  readonly expire?: number | undefined
}

/** What Next.js asks of a handler in `cacheHandlers`. */
export interface CacheComponentsHandler {
  /** Returns an entry; undefined if there is none, or one of its tags, or of `softTags`, was revalidated since. */
  get(key: string, softTags: readonly string[]): Promise<CacheComponentsEntry | undefined>
  /** Stores an entry once it is complete; one whose stream fails is not stored. */
  set(key: string, pending: Promise<CacheComponentsEntry>): Promise<void>
  /** Does nothing: tags are shared. */
  refreshTags(): Promise<void>
  /** Returns Infinity: `get` looks at the tags. */
  getExpiration(tags: readonly string[]): Promise<number>
  /** Takes all entries with one of the tags away, or makes them stale, for all threads and processes at once. */
  updateTags(tags: readonly string[], durations?: RevalidationDurations): Promise<void>
}

/** How long a response lives. */
export interface CacheControl {
  /** Seconds until it is made anew; false for never. */
  readonly revalidate: number | false
  /** Seconds until it must not be served any more. */
  readonly expire?: number | undefined
}

/** What Next.js says with `get` and `set` of a `cacheHandler`. */
export interface CacheHandlerCall {
  /** As `FETCH` or `APP_PAGE`. */
  readonly kind?: string | undefined
  /** Whether it is the response of a `fetch`. */
  readonly fetchCache?: boolean | undefined
  /** Tags of a `fetch`. */
  readonly tags?: readonly string[] | undefined
  /** Tags of the page that fetches. */
  readonly softTags?: readonly string[] | undefined
  /** How long a response lives. */
  readonly cacheControl?: CacheControl | undefined
}

/** What `get` of a `cacheHandler` gives. */
export interface CacheHandlerValue {
  /** When it was begun, in milliseconds since 1970; -1 if it must be made anew first. */
  readonly lastModified: number
  /** What was stored, with its `Buffer`s. The caller's own. */
  readonly value: object | null
  /** How long it lives. */
  readonly cacheControl?: CacheControl | undefined
}

/** What Next.js asks of the class in `cacheHandler`. It makes an object for each request. */
export interface CacheHandler {
  /** Returns a page, a route's response or a fetched one; null if there is none or one of its tags was revalidated since. */
  get(key: string, call: CacheHandlerCall): Promise<CacheHandlerValue | null>
  /** Stores one; null says that the page is not there. */
  set(key: string, data: object | null, call: CacheHandlerCall): Promise<void>
  /** Takes all with one of the tags away, or makes them stale, for all threads and processes at once. */
  revalidateTag(tags: string | readonly string[], durations?: RevalidationDurations): Promise<void>
  /** Does nothing: there is no cache of a request. */
  resetRequestCache(): void
}

interface StoredEntry extends Omit<CacheComponentsEntry, 'value'> {
  readonly bytes: Uint8Array
  readonly begun: Moment
}

interface StoredValue extends Omit<CacheHandlerValue, 'lastModified'> {
  readonly begun: Moment
  readonly lastModified: number
  readonly tags: readonly string[]
}

const NAMES = ['cache', 'tags', 'prefix'] as const
const DEFAULT_NAME = 'next'
const DEFAULT_TAG_BYTES = 2 ** 22
/** The header in which Next.js keeps the tags of a page. */
const TAGS_HEADER = 'x-next-cache-tags'
/** Keys that one object remembers as asked for. */
const MAX_ASKED = 1000
const NO_AGE = (): number => 0

/**
 * Makes a handler for `cacheHandlers` of Next.js 16, the cache of `'use cache'`, whose entries all threads and processes
 * share. The file that the configuration names exports it: `export default cacheComponentsHandler({ file, maxBytes })`.
 *
 * From the return of `updateTags` on no process gets an entry that was begun before, be it stored later.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, and what `ConcurrentCache.open` throws
 */
export function cacheComponentsHandler(options: NextCacheOptions = {}): CacheComponentsHandler {
  const { cache, revalidations, prefix } = resolve(options)
  const own = (key: string): string => `${prefix}component:${key}`
  /** The entries that this process is about to store. */
  const underWay = new Map<string, Promise<void>>()

  async function store(key: string, pending: Promise<CacheComponentsEntry>): Promise<void> {
    const { value, tags, stale, timestamp, expire, revalidate } = await pending
    let bytes: Uint8Array
    try {
      bytes = await bytesOf(value)
    } catch {
      return // the page that waits for it is told so by its own stream
    }
    const begun = revalidations.momentAgo(() => localTime() - timestamp)
    const ttl = timestamp + expire * 1000 - localTime()
    if (!(ttl > 0)) return
    const entry: StoredEntry = { bytes, tags: [...tags], stale, timestamp, expire, revalidate, begun }
    put(cache, own(key), entry, ttl)
  }

  return {
    async get(key, softTags) {
      await underWay.get(key)
      const entry = cache.get(own(key)) as StoredEntry | undefined
      if (entry === undefined) return undefined
      const { bytes, begun, stale, expire, revalidate } = entry
      const tags = [...entry.tags]
      const freshness = revalidations.freshness([...tags, ...softTags], begun)
      if (freshness === 'expired') return undefined
      const here = localTime()
      const age = revalidations.ageOf(begun)
      return {
        value: streamOf(bytes),
        tags,
        stale,
        timestamp: age === undefined ? entry.timestamp : here - age,
        expire,
        revalidate: freshness === 'stale' ? -1 : revalidate,
      }
    },
    async set(key, pending) {
      const storing = store(key, pending)
      const settled = storing.then(undefined, () => undefined)
      underWay.set(key, settled)
      try {
        await storing
      } finally {
        if (underWay.get(key) === settled) underWay.delete(key)
      }
    },
    async refreshTags() {
      // Every process reads them where they are.
    },
    async getExpiration() {
      return Infinity
    },
    async updateTags(tags, durations) {
      revalidations.note(tags, durations)
    },
  }
}

/**
 * Makes a class for `cacheHandler` of Next.js 16, the cache of pages, routes and `fetch`, whose entries all threads and
 * processes share. The file that the configuration names exports it: `export default cacheHandler({ file, maxBytes })`.
 * Set `cacheMaxMemorySize: 0` with it.
 *
 * A page that was asked for before a revalidation, and is stored after it, is not served.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, and what `ConcurrentCache.open` throws
 */
export function cacheHandler(options: NextCacheOptions = {}): new (context?: object) => CacheHandler {
  const { cache, revalidations, prefix } = resolve(options)
  const own = (key: string, isFetch: boolean): string => `${prefix}${isFetch ? 'fetch' : 'page'}:${key}`

  return class implements CacheHandler {
    readonly #revalidated: readonly string[]
    /** When keys were asked for: what is stored for them was begun then, at the earliest. */
    readonly #asked = new Map<string, Moment>()

    constructor(context: object = {}) {
      this.#revalidated = (context as { revalidatedTags?: readonly string[] }).revalidatedTags ?? []
    }

    async get(key: string, call: CacheHandlerCall): Promise<CacheHandlerValue | null> {
      const isFetch = call.kind === 'FETCH'
      this.#ask(own(key, isFetch))
      const stored = cache.get(own(key, isFetch)) as StoredValue | undefined
      if (stored === undefined) return null
      const tags = isFetch ? [...stored.tags, ...(call.tags ?? []), ...(call.softTags ?? [])] : stored.tags
      if (isFetch && tags.some((tag) => this.#revalidated.includes(tag))) return null
      const freshness = revalidations.freshness(tags, stored.begun)
      if (freshness === 'expired') return null
      const { cacheControl } = stored
      return {
        value: opened(stored.value) as object | null,
        lastModified: freshness === 'stale' ? overdue(cacheControl) : stored.lastModified,
        ...(cacheControl === undefined ? {} : { cacheControl: { ...cacheControl } }),
      }
    }

    async set(key: string, data: object | null, call: CacheHandlerCall): Promise<void> {
      const isFetch = call.fetchCache === true
      const { cacheControl } = call
      const begun = this.#asked.get(own(key, isFetch)) ?? revalidations.momentAgo(NO_AGE)
      this.#asked.delete(own(key, isFetch))
      const stored: StoredValue = {
        value: data,
        tags: [...(isFetch ? (call.tags ?? []) : tagsOf(data))],
        begun,
        lastModified: Date.now(),
        ...(cacheControl === undefined ? {} : { cacheControl: { ...cacheControl } }),
      }
      const ttl = cacheControl?.expire === undefined ? undefined : cacheControl.expire * 1000
      put(cache, own(key, isFetch), stored, ttl)
    }

    async revalidateTag(tags: string | readonly string[], durations?: RevalidationDurations): Promise<void> {
      revalidations.note([tags].flat(), durations)
    }

    resetRequestCache(): void {
      // Every process reads what is stored where it is.
    }

    #ask(key: string): void {
      this.#asked.delete(key)
      this.#asked.set(key, revalidations.momentAgo(NO_AGE))
      if (this.#asked.size > MAX_ASKED) this.#asked.delete(this.#asked.keys().next().value!)
    }
  }
}

/** The clock by which Next.js says when an entry was begun. */
function localTime(): number {
  return performance.timeOrigin + performance.now()
}

/** Returns a time so long ago that Next.js makes the page anew: behind its visitor's back, if it has a time for that. */
function overdue(cacheControl: CacheControl | undefined): number {
  const revalidate = cacheControl?.revalidate
  return typeof revalidate === 'number' ? localTime() - revalidate * 1000 - 1 : -1
}

function tagsOf(data: object | null): string[] {
  const header = (data as { headers?: Record<string, unknown> } | null)?.headers?.[TAGS_HEADER]
  return typeof header === 'string' && header !== '' ? header.split(',') : []
}

/** Stores an entry, or, if it is too large, takes away what was there: the page is served all the same. */
function put(cache: ConcurrentCache<string, unknown>, key: string, value: object, ttl: number | undefined): void {
  try {
    cache.set(key, value, ttl === undefined || !(ttl > 0) ? undefined : { ttl })
  } catch (error) {
    if (!(error instanceof MapsafeError) || error.code !== 'ERR_MAPSAFE_ENTRY_TOO_LARGE') throw error
    cache.delete(key)
  }
}

interface Resolved {
  readonly cache: ConcurrentCache<string, unknown>
  readonly revalidations: Revalidations
  readonly prefix: string
}

function resolve(options: NextCacheOptions): Resolved {
  const { cache, tags, name = DEFAULT_NAME, prefix = '', tagBytes = DEFAULT_TAG_BYTES, ...others } = options
  if (typeof prefix !== 'string') throw wrongInput('Option prefix', prefix, 'a string')
  if (cache === undefined && tags === undefined) {
    const file = others.file === undefined ? {} : { file: `${others.file}.tags` }
    const { engine, trustFile } = others
    const map = ConcurrentMap.open<string, unknown>(`${name}.tags`, { ...file, engine, trustFile, maxBytes: tagBytes })
    return { cache: ConcurrentCache.open(name, others), revalidations: new Revalidations(map), prefix }
  }
  checkCache(cache)
  if ((tags as Partial<ConcurrentMap<string, unknown>> | undefined)?.[Symbol.toStringTag] !== 'ConcurrentMap') {
    throw wrongInput('Option tags', tags, 'a ConcurrentMap, as there is a cache')
  }
  readOptions(options, NAMES)
  return { cache: cache!, revalidations: new Revalidations(tags!), prefix }
}
