/** The entry `mapsafe/unstorage`: a driver for unstorage, and so for Nitro and Nuxt. */
import { readOptions, wrongInput } from '../base/arguments.js'
import { ConcurrentCache } from '../public/concurrent-cache.js'
import type { ConcurrentCacheOptions } from '../public/options.js'
import { checkCache, deletePrefixed } from './shared-cache.js'

/**
 * Options of {@link unstorageDriver}: the cache, or how to open one by a name, as `ConcurrentCache.open` does. A
 * configuration file can only say the latter.
 */
export interface UnstorageDriverOptions extends ConcurrentCacheOptions {
  /** The cache that holds the items, perhaps among other entries. It stays open when the storage is disposed of. */
  readonly cache?: ConcurrentCache<string, unknown> | undefined
  /** The name of the cache to open with the other options. Default: `'unstorage'`. */
  readonly name?: string | undefined
  /** What stands before the key of each item. Default: nothing. */
  readonly base?: string | undefined
  /** Seconds that an item lives whose write does not say. Default: as long as the cache says. */
  readonly ttl?: number | undefined
}

/** What unstorage takes for an item: a text that it made of a value, or a value. */
export type UnstorageItem = string | number | boolean | object | null

/** A key and its item; null if there is none. */
export interface KeyedItem {
  /** The key. */
  key: string
  /** The item. */
  value: UnstorageItem
}

/** What unstorage says with an operation. */
export interface UnstorageTransaction {
  /** Seconds that the item lives. */
  readonly ttl?: number | undefined
}

/** The driver that {@link unstorageDriver} makes. */
export interface UnstorageDriver {
  /** Its name. */
  readonly name: 'mapsafe'
  /** What it can do beyond the least. */
  readonly flags: {
    /** Items may have a lifetime. */
    readonly ttl: true
  }
  /** What it was made with. */
  readonly options: UnstorageDriverOptions
  /** Returns the cache. */
  getInstance(): ConcurrentCache<string, unknown>
  /** Returns whether there is an item. */
  hasItem(key: string): boolean
  /** Returns an item; null if there is none. */
  getItem(key: string): UnstorageItem
  /** Returns an item as it was stored by {@link UnstorageDriver.setItemRaw}, with its types; null if there is none. */
  getItemRaw(key: string): unknown
  /** Returns the items of many keys. */
  getItems(items: readonly { readonly key: string }[]): KeyedItem[]
  /** Stores an item. */
  setItem(key: string, value: unknown, transaction?: UnstorageTransaction): void
  /** Stores anything that a cache can hold. */
  setItemRaw(key: string, value: unknown, transaction?: UnstorageTransaction): void
  /** Stores many items, each with its own lifetime. */
  setItems(
    items: readonly { readonly key: string; readonly value: unknown; readonly options?: UnstorageTransaction }[],
    common?: UnstorageTransaction,
  ): void
  /** Deletes an item. */
  removeItem(key: string): void
  /** Returns for how many seconds an item still lives, if not for ever; null if there is none. */
  getMeta(key: string): {
    /** Seconds that it still lives. */
    ttl?: number
  } | null
  /** Returns the keys that begin with `base`. O(keys of the cache). */
  getKeys(base?: string): string[]
  /** Deletes the items whose keys begin with `base`. O(keys of the cache). */
  clear(base?: string): void
}

const NAMES = ['cache', 'name', 'base', 'ttl'] as const
const DEFAULT_NAME = 'unstorage'

/**
 * Makes what [unstorage](https://unstorage.unjs.io) takes as `driver`: `createStorage({ driver: unstorageDriver({ cache }) })`.
 * Items are shared by all threads and processes that have the cache open. In a configuration of Nitro or Nuxt it is named by
 * its package: `{ driver: 'mapsafe/unstorage', file: '/var/cache/app.map', maxBytes: 2 ** 26 }`.
 *
 * The driver does not watch: `storage.watch` is told of what its own storage does alone.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, and what `ConcurrentCache.open` throws
 */
export function unstorageDriver(options: UnstorageDriverOptions = {}): UnstorageDriver {
  const { cache, prefix, ttl } = resolve(options)
  const own = (key: string): string => prefix + key
  const lifetime = (transaction: UnstorageTransaction | undefined): { ttl: number } | undefined => {
    const seconds = transaction?.ttl ?? ttl
    return seconds === undefined ? undefined : { ttl: seconds * 1000 }
  }
  const get = (key: string): UnstorageItem => cache.get(own(key)) ?? null
  const set = (key: string, value: unknown, transaction?: UnstorageTransaction): void => {
    cache.set(own(key), value, lifetime(transaction))
  }
  return {
    name: 'mapsafe',
    flags: { ttl: true },
    options,
    getInstance: () => cache,
    hasItem: (key) => cache.has(own(key)),
    getItem: get,
    getItemRaw: get,
    getItems: (items) => {
      const values = cache.getMany(items.map(({ key }) => own(key)))
      return items.map(({ key }, index) => ({ key, value: values[index] ?? null }))
    },
    setItem: set,
    setItemRaw: set,
    setItems: (items, common) => {
      cache.setMany(
        items.map(({ key, value, options: each }) => [own(key), value, lifetime({ ttl: each?.ttl ?? common?.ttl })]),
      )
    },
    removeItem: (key) => {
      cache.delete(own(key))
    },
    getMeta: (key) => {
      const entry = cache.peekEntry(own(key))
      if (entry === undefined) return null
      return entry.expiresAt === undefined ? {} : { ttl: (entry.expiresAt - Date.now()) / 1000 }
    },
    getKeys: (base = '') => keysWith(cache, own(base)).map((key) => key.slice(prefix.length)),
    clear: (base = '') => {
      deletePrefixed(cache, own(base))
    },
  }
}

export default unstorageDriver

interface Resolved {
  readonly cache: ConcurrentCache<string, unknown>
  readonly prefix: string
  readonly ttl: number | undefined
}

function resolve(options: UnstorageDriverOptions): Resolved {
  const { cache: given, name = DEFAULT_NAME, base = '', ttl, ...others } = options
  if (typeof base !== 'string') throw wrongInput('Option base', base, 'a string')
  if (ttl !== undefined && !(ttl > 0)) throw wrongInput('Option ttl', ttl, 'a number of seconds above 0')
  const prefix = base === '' || base.endsWith(':') ? base : `${base}:`
  if (given === undefined) return { cache: ConcurrentCache.open<string, unknown>(name, others), prefix, ttl }
  checkCache(given)
  readOptions(options, NAMES)
  return { cache: given, prefix, ttl }
}

function keysWith(cache: ConcurrentCache<string, unknown>, prefix: string): string[] {
  return [...cache.keys()].filter((key) => key.startsWith(prefix))
}
