/** The entry `mapsafe/undici`: responses of other servers, cached for all threads and processes. */
import { readOptions, wrongInput } from '../base/arguments.js'
import { Buffer } from '../platform/buffer.js'
import { Writable } from '../platform/stream.js'
import type { ConcurrentCache } from '../public/concurrent-cache.js'
import { checkCache } from './shared-cache.js'

/** Options of {@link ResponseStore}. */
export interface ResponseStoreOptions {
  /** What stands before the address of each response. Stores that share a cache need different ones. Default: `'http:'`. */
  readonly prefix?: string | undefined
  /** Bytes of the longest body that is kept, as in undici's own stores. Default: 5,242,880. */
  readonly maxEntrySize?: number | undefined
}

/** Header fields by their names in lower case. */
export type Headers = Record<string, string | string[]>

/** A request, as far as a store looks at it. */
export interface RequestKey {
  /** Scheme, host and port. */
  readonly origin: string
  /** As `GET`. */
  readonly method: string
  /** What follows the origin. */
  readonly path: string
  /** Its header fields. */
  readonly headers?: Headers | undefined
}

/** A response without its body, as undici's cache gives and takes it. Times are milliseconds since 1970. */
export interface ResponseHead {
  /** As 200. */
  readonly statusCode: number
  /** As `OK`. */
  readonly statusMessage: string
  /** Its header fields. */
  readonly headers: Headers
  /** The fields of its request that it depends on, and what they were; null where the request had none. */
  readonly vary?: Record<string, string | string[] | null>
  /** Its `ETag`. */
  readonly etag?: string
  /** What its `Cache-Control` says. */
  readonly cacheControlDirectives?: object
  /** When it was stored. */
  readonly cachedAt: number
  /** Until when it is fresh. */
  readonly staleAt: number
  /** When the store must not give it any more. */
  readonly deleteAt: number
}

/** A response that the store gives. Its parts are the caller's own. */
export interface CachedResponse extends ResponseHead {
  /** What its `Cache-Control` says. */
  readonly cacheControlDirectives: object
  /** Its body, in one piece. */
  readonly body: Buffer[]
}

interface Variant {
  readonly method: string
  readonly head: ResponseHead
  readonly body: Uint8Array
}

/** All responses from one address. They are one entry, so that all change and go at once. */
interface Responses {
  /** How often they were deleted. A response whose transfer began before a deletion is not stored after it. */
  readonly deletions: number
  readonly variants: readonly Variant[]
}

const DEFAULT_PREFIX = 'http:'
const DEFAULT_MAX_ENTRY_SIZE = 5_242_880
/** Milliseconds for which a deletion is remembered; a transfer that takes longer may store what it began with. */
const DELETION_TTL = 600_000

/**
 * The store of undici's cache whose responses all threads and processes share that have the cache open:
 * `new Agent().compose(interceptors.cache({ store: new ResponseStore(cache) }))`.
 *
 * A response that varies with its request (`Vary`) is kept beside the others from its address, and found by the request's
 * fields. When undici drops an address, because a request changed it (`POST`, `PUT`, ...), it is gone for all at once, and
 * a response that was on its way meanwhile is not kept. Responses leave the cache at their time, or are evicted as other
 * entries are.
 *
 * Thread safety: as that of the cache.
 */
export class ResponseStore {
  readonly #cache: ConcurrentCache<string, Responses>
  readonly #prefix: string
  readonly #maxEntrySize: number

  /**
   * @param cache a cache for the responses, which it may hold among other entries
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong argument or option
   */
  constructor(cache: ConcurrentCache<string, unknown>, options: ResponseStoreOptions = {}) {
    checkCache(cache)
    const { prefix = DEFAULT_PREFIX, maxEntrySize = DEFAULT_MAX_ENTRY_SIZE } = readOptions(options, [
      'prefix',
      'maxEntrySize',
    ])
    if (typeof prefix !== 'string') throw wrongInput('Option prefix', prefix, 'a string')
    if (!(Number.isInteger(maxEntrySize) && maxEntrySize >= 0)) {
      throw wrongInput('Option maxEntrySize', maxEntrySize, 'an integer of at least 0')
    }
    this.#cache = cache as ConcurrentCache<string, Responses>
    this.#prefix = prefix
    this.#maxEntrySize = maxEntrySize
  }

  /**
   * Returns the response that answers a request; undefined if there is none. O(length of the responses of its address).
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `request` is none
   */
  get(request: RequestKey): CachedResponse | undefined {
    const responses = this.#cache.get(this.#keyOf(request))
    const variant = responses?.variants.find((each) => answers(each as Variant, request, Date.now()))
    if (variant === undefined) return undefined
    const head = variant.head as ResponseHead
    const body = variant.body as Uint8Array
    // undici adds fields to the headers that it got.
    return {
      ...head,
      headers: { ...head.headers },
      cacheControlDirectives: head.cacheControlDirectives ?? {},
      body: [Buffer.from(body.buffer, body.byteOffset, body.byteLength)],
    }
  }

  /**
   * Returns a stream for the body of a response, which is stored when the stream ends. A stream that gets more than
   * `maxEntrySize` bytes closes, and one whose response is too large for the cache fails; both store nothing.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `request` is none
   */
  createWriteStream(request: RequestKey, head: ResponseHead): Writable {
    const key = this.#keyOf(request)
    const { method, headers } = request
    const begunAt = this.#cache.peek(key)?.deletions ?? 0
    const chunks: Buffer[] = []
    let bytes = 0
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, callback) => {
        bytes += chunk.byteLength
        if (bytes > this.#maxEntrySize) stream.destroy()
        else chunks.push(chunk)
        callback(null)
      },
      final: (callback) => {
        try {
          this.#store(key, { method, headers }, { method, head, body: Buffer.concat(chunks) }, begunAt)
          callback(null)
        } catch (error) {
          callback(error as Error)
        }
      },
    })
    return stream
  }

  /**
   * Deletes all responses from an address, whatever their method and fields.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `request` is none
   */
  delete(request: RequestKey): void {
    const key = this.#keyOf(request)
    for (;;) {
      const entry = this.#cache.peekEntry(key)
      const deletions = (entry?.value.deletions ?? 0) + 1
      const ttl = DELETION_TTL
      if (this.#cache.setIfVersion(key, { deletions, variants: [] }, entry?.version ?? 0, { ttl })) return
    }
  }

  /** Puts a response among those of its address, in place of the one that answers the same request. */
  #store(key: string, request: Pick<RequestKey, 'method' | 'headers'>, variant: Variant, begunAt: number): void {
    for (;;) {
      const entry = this.#cache.peekEntry(key)
      const { deletions, variants } = (entry?.value ?? { deletions: 0, variants: [] }) as Responses
      if (deletions !== begunAt) return
      const now = Date.now()
      const others = variants.filter((each) => each.head.deleteAt > now && !answers(each, request, now))
      const all = [...others, variant]
      const ttl = Math.max(...all.map(({ head }) => head.deleteAt)) - now
      if (!(ttl > 0)) return
      const expiry = { ttl: deletions > 0 ? Math.max(ttl, DELETION_TTL) : ttl }
      if (this.#cache.setIfVersion(key, { deletions, variants: all }, entry?.version ?? 0, expiry)) return
    }
  }

  #keyOf(request: RequestKey): string {
    const { origin, path } = (request as RequestKey | null) ?? {}
    if (typeof origin !== 'string' || typeof path !== 'string') {
      throw wrongInput('Argument request', request, 'an object with origin, method and path')
    }
    return `${this.#prefix}${origin}${path}`
  }
}

/** Returns whether a response is that of such a request, now. RFC 9111, section 4.1. */
function answers(
  { method, head: { vary, deleteAt } }: Variant,
  request: Pick<RequestKey, 'method' | 'headers'>,
  now: number,
): boolean {
  if (method !== request.method || !(deleteAt > now)) return false
  return Object.entries(vary ?? {}).every(([name, value]) => isSameField(request.headers?.[name], value))
}

function isSameField(a: string | string[] | undefined, b: string | readonly string[] | null): boolean {
  if (a === undefined || b === null) return a === undefined && b === null
  return [a].flat().join('\n') === [b].flat().join('\n')
}
