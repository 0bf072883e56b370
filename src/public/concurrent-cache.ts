/* eslint @typescript-eslint/no-useless-default-assignment: off -- optional parameters do not count in the lengths of methods */
/* eslint @typescript-eslint/no-invalid-void-type: off -- `attach` may be called without its class */
import { checkFunction, checkTtl, checkVersion } from '../base/arguments.js'
import { keysOf, setMany } from '../store/batches.js'
import type { Key } from '../format/key.js'
import { ConcurrentMap, storeOf } from './concurrent-map.js'
import { PUT_ALWAYS, PUT_IF_ABSENT, PUT_IF_PRESENT, PUT_IF_VERSION } from '../engine/engine.js'
import { getOrInsert, getOrInsertComputed } from '../store/get-or-insert.js'
import type { CacheHandle } from './handle.js'
import { DELETE, type DeleteMarker } from './delete-marker.js'
import { incrementEntry, readIncrement, type IncrementOptions } from './increment.js'
import { readEntryOptions, readLifetime, resolveLifetime, type EntryOptions, type LifetimeOptions } from './lifetime.js'
import { Loads, type Request } from '../loads/loads.js'
import { ManyLoad, type ManyLoader } from '../loads/many.js'
import {
  resolveLoadOptions,
  type Loader,
  type LoadOptions,
  type ResolvedLoadDefaults,
  type ResolvedLoadOptions,
} from '../loads/options.js'
import { openNamed } from './named.js'
import { openNamespace, type KeyMethods, type Walks } from './namespace.js'
import { Opening, type MapClass } from './opening.js'
import type {
  CacheAttachOptions,
  ConcurrentCacheOptions,
  ConcurrentMapOptions,
  OpenValues,
  OptionsFor,
} from './options.js'
import { compareAndSwap, update } from '../store/read-modify-write.js'
import type { Labels } from '../format/labels.js'
import { labelsOf, spanOf, withLabels, type Lifetime, type Span } from '../store/lifetime.js'
import { readTagsToInvalidate } from '../store/tags.js'
import type { Store } from '../store/store.js'
import { touch } from '../store/touch.js'
import type { MapEntry } from './types.js'
import { increment, swap, write, writeEncoded } from '../store/writes.js'
import type { Returned } from '../base/cloned.js'
import type { DeepReadonly } from '../base/deep-readonly.js'
import type { Storable } from '../base/storable.js'

/**
 * A {@link ConcurrentMap} whose entries may expire: a cache that all worker threads of a process share.
 *
 * *Expiry.* Every entry has a time to live of its own: from the options of the write, else the cache's `ttl`, else for
 * ever. An expired entry is absent in every respect, for every thread, from its time on: reads and iteration do not
 * find it, a write on condition that there is no entry goes through, and a write that returns the replaced value
 * returns undefined. Only `size` counts expired entries until they are deleted. They are deleted without being read: a
 * few at a time with writes, and in the background about a second after they expired. (If the process was stopped, or
 * the addon's clock thread did not run for 80 milliseconds, at most 31 near hits in a row may return values that
 * expired meanwhile, but never those of entries that live 100 milliseconds or less.)
 *
 * *Time* is that of the machine: neither steps of the system's clock nor fake timers change when an entry expires;
 * tests use {@link advanceClock}. `expiresAt` is in milliseconds of the system's clock, converted by the state of that
 * clock at the time of the call.
 *
 * *Sliding.* With `slidingTtl` an entry lives for that time from its last use on: a read renews it, at most once in a
 * tenth of the time, by a write that gives the entry a new version and may wait as a `touch` does. `has`, `peek`, walks
 * and snapshots renew nothing.
 *
 * *Which writes renew it.* A write that stores a value given (`set`, `setIfAbsent`, `setIfVersion`, `replace`, `swap`,
 * `compareAndSwap`, `getOrInsert`, `setMany`) starts a new life: by its own options, else by the cache's `ttl`. A write
 * that changes the value that is there (`update`, `increment`) keeps the entry's expiry; its options apply only to an
 * entry that it inserts. `touch` renews the expiry and leaves the value.
 *
 * *Entries that are too large.* A cache makes room for an entry of up to an eighth of its memory, and always for one of
 * 256 KiB. The size includes the key and a header of 24 to 40 bytes; the exact bound is 4,096 bytes times the greater
 * of 64 and an eighth of its heap's pages. A larger one throws `ERR_MAPSAFE_ENTRY_TOO_LARGE`, whose message gives the
 * bound in bytes, and evicts nothing.
 *
 * Thread safety, costs and errors are those of {@link ConcurrentMap}. In addition, every method that takes
 * {@link LifetimeOptions} throws `ERR_MAPSAFE_OPTIONS` for wrong ones.
 */
export class ConcurrentCache<K extends Key, V, Freeze extends boolean = true> extends ConcurrentMap<K, V, Freeze> {
  declare readonly handle: CacheHandle
  /** Every method reads it before it looks at its arguments, so that another receiver is refused first. */
  readonly #store: Store<Returned<V, Freeze>>
  readonly #loads: Loads<Returned<V, Freeze>>
  readonly #loadDefaults: ResolvedLoadDefaults
  /** The options of a call without any: most calls are hits, which should not pay for an object. */
  readonly #usualLoad: ResolvedLoadOptions

  static {
    Object.defineProperty(this.prototype, Symbol.toStringTag, { value: 'ConcurrentCache', configurable: true })
  }

  /**
   * Makes an empty cache, or opens the one in `file`, with the costs of a {@link ConcurrentMap}.
   *
   * @throws MapsafeError as {@link ConcurrentMap} does; `ERR_MAPSAFE_OPTIONS` also if the file was made with another
   * `ttl` or `maxEntries`
   */
  constructor(...given: OptionsFor<Freeze, ConcurrentCacheOptions<Freeze>>) {
    const [options] = given
    const opening = options instanceof Opening ? options : Opening.newCache(options)
    const passed: unknown = opening
    super(...([passed] as OptionsFor<Freeze, ConcurrentMapOptions<Freeze>>))
    this.#store = storeOf(this)
    this.#loads = new Loads(this.#store, opening.options.breaker)
    this.#loadDefaults = opening.options.loadDefaults
    this.#usualLoad = resolveLoadOptions({}, this.#loadDefaults)
  }

  /**
   * Opens a cache that was made elsewhere. All threads share its `ttl` and bounds. Called on a subclass, makes an
   * instance of the subclass, as {@link ConcurrentMap.attach} does.
   *
   * @param handle the {@link ConcurrentCache.handle} of another cache object; the handle of a ConcurrentMap is refused
   * @throws MapsafeError as {@link ConcurrentMap.attach} does
   */
  static override attach<K extends Key, V>(
    this: typeof ConcurrentCache | void,
    handle: CacheHandle,
    options: CacheAttachOptions<false> & OpenValues,
  ): ConcurrentCache<K, V, false>
  static override attach<K extends Key, V>(
    this: typeof ConcurrentCache | void,
    handle: CacheHandle,
    options?: CacheAttachOptions,
  ): ConcurrentCache<K, V>
  static override attach<M>(this: MapClass<M>, handle: CacheHandle, options?: CacheAttachOptions<boolean>): M
  static override attach(
    this: unknown,
    handle: CacheHandle,
    options: CacheAttachOptions<boolean> | undefined = undefined,
  ): unknown {
    return Opening.existing('mapsafe.cache', handle, options).open(ConcurrentCache, this)
  }

  /**
   * Opens the cache with this name, the same in every thread of the process, as {@link ConcurrentMap.open} does.
   *
   * @param options as there; all threads share `ttl` and `maxEntries`, which may be left out where the cache is there
   * @throws MapsafeError as {@link ConcurrentMap.open} does
   */
  static override open<K extends Key, V>(
    this: typeof ConcurrentCache | void,
    name: string,
    options: ConcurrentCacheOptions<false> & OpenValues,
  ): ConcurrentCache<K, V, false>
  static override open<K extends Key, V>(
    this: typeof ConcurrentCache | void,
    name: string,
    options?: ConcurrentCacheOptions,
  ): ConcurrentCache<K, V>
  static override open<M>(this: MapClass<M>, name: string, options?: ConcurrentCacheOptions<boolean>): M
  static override open(
    this: unknown,
    name: string,
    options: ConcurrentCacheOptions<boolean> | undefined = undefined,
  ): unknown {
    return openNamed('mapsafe.cache', name, options, ConcurrentCache, this)
  }

  /**
   * Stores `value` under `key`, and overwrites the value that was there. Evicts other entries where there is no room.
   * `options` say how long the entry lives, and its tags.
   */
  override set(key: K, value: Storable<V>, options: EntryOptions | undefined = undefined): this {
    write(this.#store, key, value, PUT_ALWAYS, 0, this.#expiry(options))
    return this
  }

  /** As in {@link ConcurrentMap}; an expired entry counts as none. `options` say how long the entry lives, and its tags. */
  override setIfAbsent(key: K, value: Storable<V>, options: EntryOptions | undefined = undefined): boolean {
    return write(this.#store, key, value, PUT_IF_ABSENT, 0, this.#expiry(options))
  }

  /** As in {@link ConcurrentMap}; an expired entry counts as none. `options` say how long the entry lives, and its tags. */
  override setIfVersion(
    key: K,
    value: Storable<V>,
    version: number,
    options: EntryOptions | undefined = undefined,
  ): boolean {
    const store = this.#store
    checkVersion(version)
    const mode = version === 0 ? PUT_IF_ABSENT : PUT_IF_VERSION
    return write(store, key, value, mode, version, this.#expiry(options))
  }

  /** As in {@link ConcurrentMap}; an expired entry counts as none. `options` say how long the entry lives, and its tags. */
  override replace(key: K, value: Storable<V>, options: EntryOptions | undefined = undefined): boolean {
    return write(this.#store, key, value, PUT_IF_PRESENT, 0, this.#expiry(options))
  }

  /** As in {@link ConcurrentMap}; returns undefined for an expired entry. `options` say how long the entry lives, and its tags. */
  override swap(
    key: K,
    value: Storable<V>,
    options: EntryOptions | undefined = undefined,
  ): Returned<V, Freeze> | undefined {
    return swap(this.#store, key, value, this.#expiry(options))
  }

  /** As in {@link ConcurrentMap}. Stores nothing if the entry has expired. `options` say how long the entry lives, and its tags. */
  override compareAndSwap(
    key: K,
    expected: V | DeepReadonly<V>,
    next: Storable<V>,
    options: EntryOptions | undefined = undefined,
  ): boolean {
    return compareAndSwap(this.#store, key, expected, next, this.#expiry(options))
  }

  /** As in {@link ConcurrentMap}. An entry that is there keeps its expiry; `options` apply only to an inserted one. */
  override getOrInsert(key: K, value: Storable<V>, options: EntryOptions | undefined = undefined): Returned<V, Freeze> {
    const expiresAt = this.#expiry(options)
    return getOrInsert(this.#store, key, value, () => expiresAt)
  }

  /** As in {@link ConcurrentMap}. The time to live begins when `compute` has returned. */
  override getOrInsertComputed(
    key: K,
    compute: (key: K) => Storable<V>,
    options: EntryOptions | undefined = undefined,
  ): Returned<V, Freeze> {
    const store = this.#store
    checkFunction('compute', compute)
    if (options === undefined) return getOrInsertComputed(store, key, compute, () => this.#expiry(undefined))
    const { lifetime, tags } = readEntryOptions(options)
    // Before the value is computed, and so are their generations.
    const labels = this.#labels(tags)
    return getOrInsertComputed(store, key, compute, () => withLabels(this.#spread(this.#spanOf(lifetime)), labels))
  }

  /** As in {@link ConcurrentMap}. An entry that is there keeps its expiry; `options` apply only to a new one. */
  override update(
    key: K,
    compute: (value: Returned<V, Freeze> | undefined) => Storable<V>,
    options?: EntryOptions,
  ): Returned<V, Freeze>
  override update(
    key: K,
    compute: (value: Returned<V, Freeze> | undefined) => Storable<V> | DeleteMarker,
    options?: EntryOptions,
  ): Returned<V, Freeze> | undefined
  override update(
    key: K,
    compute: (value: Returned<V, Freeze> | undefined) => Storable<V> | DeleteMarker,
    options: EntryOptions | undefined = undefined,
  ): Returned<V, Freeze> | undefined {
    const store = this.#store
    checkFunction('compute', compute)
    return update(store, key, compute, DELETE, this.#expiry(options))
  }

  /**
   * As in {@link ConcurrentMap}. A counter that is there keeps its expiry: `ttl` and `expiresAt` apply only to a new
   * one, unless `renew` is true.
   */
  override increment(
    key: K,
    by?: number,
    options?: IncrementOptions & { readonly ifPresent?: false | undefined },
  ): number
  override increment(key: K, by: number | undefined, options: IncrementOptions | undefined): number | undefined
  override increment(key: K, by = 1, options: IncrementOptions | undefined = undefined): number | undefined {
    const store = this.#store
    const { mode, lifetime, tags } = readIncrement(by, options)
    return increment(store, key, by, this.#fixedExpiry(lifetime, tags), mode)
  }

  /**
   * As in {@link ConcurrentMap}; `expiresAt` in the result is that of the same entry. So a count and the end of its
   * window belong together, no matter how many threads count.
   */
  override incrementEntry(
    key: K,
    by?: number,
    options?: IncrementOptions & { readonly ifPresent?: false | undefined },
  ): MapEntry<number>
  override incrementEntry(
    key: K,
    by: number | undefined,
    options: IncrementOptions | undefined,
  ): MapEntry<number> | undefined
  override incrementEntry(
    key: K,
    by = 1,
    options: IncrementOptions | undefined = undefined,
  ): MapEntry<number> | undefined {
    const store = this.#store
    const { mode, lifetime, tags } = readIncrement(by, options)
    return incrementEntry(store, key, by, mode, this.#fixedExpiry(lifetime, tags))
  }

  /**
   * As in {@link ConcurrentMap}. An entry may say how long it lives by a third element; `options` apply to the others.
   * The engine is called anew where the lifetime changes from one entry to the next.
   */
  override setMany(
    entries: Iterable<readonly [K, Storable<V>, (EntryOptions | undefined)?]>,
    options: EntryOptions | undefined = undefined,
  ): this {
    const store = this.#store
    const common = this.#exactExpiry(options)
    setMany(store, entries, (own) =>
      this.#spreadOf(own === undefined ? common : this.#exactExpiry(own as EntryOptions)),
    )
    return this
  }

  /**
   * Returns the value of `key`; if there is no entry, loads it. No matter how many calls there are at once, in all
   * threads and processes, one loader runs, and the other calls await its value.
   *
   * A rejection reaches all waiting calls, and is not kept unless `negativeTtl` says so. If the loader's thread ends,
   * or its time is up, one of the waiting calls runs its own loader.
   *
   * A write of the key during the load wins: then the loaded value is not stored. Calls that waited for it in the same
   * thread get it all the same; those in other threads get, after a `set`, the value that was set. A call made after a
   * deletion, or after `clear`, gets a value whose load began after it.
   *
   * With `staleWhileRevalidate` an expired value is, for a while, returned at once, and loaded anew in the background.
   *
   * This call may wait for other threads, blocking this one, as long as `set` may, and that twice: when it begins a
   * load and when the load ends.
   *
   * @param loader called at once if there is no value and no load of it is under way; its value must be one that `set`
   * accepts
   * @returns rejects with the loader's error; with the reason of `signal`; with a MapsafeError `ERR_MAPSAFE_TIMEOUT` if
   * the time is up, `ERR_MAPSAFE_OPTIONS` for a wrong argument, `ERR_MAPSAFE_CLOSED` when the cache is closed; and with
   * the errors of `get` and `set`
   * @contract its key | loads | if absent | hit | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE OPTIONS TIMEOUT REENTRANT | O(1) and the loader
   */
  getOrLoad(key: K, loader: Loader<K, V>, options: LoadOptions | undefined = undefined): Promise<Returned<V, Freeze>> {
    try {
      return this.#getOrLoad(key, loader, options)
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever was thrown
      return Promise.reject(error)
    }
  }

  /** @throws what the call is to be rejected with: an async function would make a promise of another class */
  #getOrLoad(key: K, loader: Loader<K, V>, options: LoadOptions | undefined): Promise<Returned<V, Freeze>> {
    const store = this.#store
    checkFunction('loader', loader)
    const resolved = options === undefined ? this.#usualLoad : resolveLoadOptions(options, this.#loadDefaults)
    resolved.signal?.throwIfAborted()
    if (!resolved.forceRefresh) {
      const near = store.near(key)
      if (near?.present === true) return Promise.resolve(near.value as Returned<V, Freeze>)
      if (near === undefined) {
        const found = store.read(key)
        if (store.found) return Promise.resolve(found!)
      } else {
        // The near-cache knows that there is no entry, and has counted this read.
        store.hotKeys.note(key)
      }
    }
    return this.#loads.load(key, this.#request(loader, resolved))
  }

  /**
   * Returns the values of `keys`, in their order, as `getMany` does; those that are missing are loaded by one call of
   * `loadMissing`. A key that another call loads, in whichever thread or process, is not among them: this call awaits
   * that load. So each key is loaded once, as by {@link ConcurrentCache.getOrLoad}, and everything said there holds for
   * each key alone; `options` are for all. A key may occur several times.
   *
   * A key for which `loadMissing` returns no value is undefined in the result, and nothing is stored for it. (A stored
   * `undefined` looks the same; store `null` to remember that there is nothing.) A call of one key that waits for it
   * then runs its own loader. If a thread that loads some of the keys ends, `loadMissing` is called again, for those.
   *
   * This call may block the event loop for other threads as often as there are keys, as long as `set` may each time.
   * O(keys).
   *
   * @param loadMissing called at once if any key is to be loaded
   * @returns rejects with the error of the first key that fails; the loads of the others go on. Errors are those of
   * {@link ConcurrentCache.getOrLoad}, and `ERR_MAPSAFE_LOADER` for all keys of a call of `loadMissing` that returns
   * something else than pairs of its keys; then it stores nothing
   * @contract each key | loads | if absent | hit | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE OPTIONS TIMEOUT REENTRANT | O(keys) and the loader
   */
  async getManyOrLoad(
    keys: Iterable<K>,
    loadMissing: ManyLoader<K, V>,
    options: LoadOptions | undefined = undefined,
  ): Promise<(Returned<V, Freeze> | undefined)[]> {
    const store = this.#store
    checkFunction('loadMissing', loadMissing)
    const resolved = options === undefined ? this.#usualLoad : resolveLoadOptions(options, this.#loadDefaults)
    const given = keysOf(keys) as K[]
    resolved.signal?.throwIfAborted()
    // A wrong key throws here, before anything is loaded.
    const entries = given.map((key) => {
      if (!resolved.forceRefresh) return store.getEntryOfMany(key)
      store.hasPassing(key)
      return undefined
    })
    const many = new ManyLoad<K, V>(loadMissing)
    const request = { ...this.#request(many.loader, resolved), sharedPass: many }
    return this.#loads.loadMany(
      given,
      (index) => entries[index],
      request,
      () => many.run(),
    )
  }

  /** As in {@link ConcurrentMap}. Rejects the calls of getOrLoad that wait. */
  override close(): void {
    this.#loads.close()
    super.close()
  }

  /**
   * Renews the expiry of the entry of `key`, as if its value was set again. The entry gets a new version, and keeps its tags.
   *
   * @param lifetime options, as those of a write; or a number, which stands for `{ ttl }`. Default: the cache's `ttl`
   * @returns whether there was an entry
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything else
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE OPTIONS TIMEOUT REENTRANT | O(length)
   */
  touch(key: K, lifetime: LifetimeOptions | number | undefined = undefined): boolean {
    const store = this.#store
    if (typeof lifetime === 'number') checkTtl('Argument ttl', lifetime)
    const options = typeof lifetime === 'number' ? { ttl: lifetime } : lifetime
    return touch(store, key, this.#spread(options === undefined ? undefined : this.#spanOf(readLifetime(options))))
  }

  /**
   * Takes every entry away that has one of the tags: from its return on, no thread and no process finds one. An entry that is
   * being loaded or computed meanwhile is taken away, too. O(tags), no matter how many entries there are; they are deleted
   * as expired ones are: with writes, and in the background about a second later. `size` counts them until then.
   *
   * Tags are told apart exactly, as long as no more than about one for every 900 bytes of the cache's memory were ever used;
   * beyond that an invalidation may take further entries away, but never fewer.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `tags` are texts, none of which is empty
   * @contract each tag | undefined | no | none | OPTIONS REENTRANT | O(tags)
   */
  invalidateTags(tags: Iterable<string>): void {
    const store = this.#store
    const names = readTagsToInvalidate(tags)
    store.invalidate(names)
  }

  /** As in {@link ConcurrentMap}; its entries may have lifetimes and tags, and be loaded. */
  override namespace(prefix: string extends K ? string : never): CacheNamespace<V, Freeze> {
    return openNamespace(this, this.#store as Store<never>, prefix) as CacheNamespace<V, Freeze>
  }

  /** Makes a call's wish for a value: how its loader is run, and how its value is stored. */
  #request(loader: Request<K>['loader'], options: ResolvedLoadOptions): Request<K> {
    const store = this.#store
    const { staleWhileRevalidate, staleIfError, tags } = options
    const staleFor = Math.max(staleWhileRevalidate, staleIfError)
    return {
      loader,
      options,
      ttl: options.ttl ?? store.ttl,
      labels: () => this.#labels(tags),
      store: (key, encoder, version, ttl, labels) => {
        const span = this.#spread(this.#spanOf({ ttl: ttl ?? options.ttl }))
        const lifetime = withLabels(span, labels)
        const forFailures = staleIfError > staleWhileRevalidate
        return writeEncoded(store, key, encoder, PUT_IF_VERSION, version, lifetime, staleFor, forFailures)
      },
    }
  }

  /** Returns when an entry with these options expires, jitter included; undefined if the cache's `ttl` decides. */
  #expiry(options: EntryOptions | undefined): Lifetime | undefined {
    return options === undefined ? this.#spread(undefined) : this.#spreadOf(this.#exactExpiry(options))
  }

  /** The same without jitter, and with the labels of the tags, as they are now. */
  #exactExpiry(options: EntryOptions | undefined): Lifetime | undefined {
    if (options === undefined) return undefined
    const { lifetime, tags } = readEntryOptions(options)
    return withLabels(this.#spanOf(lifetime), this.#labels(tags))
  }

  #spanOf(lifetime: LifetimeOptions): Span | undefined {
    return resolveLifetime(lifetime, this.#store.clock)
  }

  #labels(tags: readonly string[] | undefined): Labels | undefined {
    return tags === undefined ? undefined : this.#store.labelIndex.pairsOf(this.#store.openToWrite(), tags)
  }

  /** Returns when a counter expires: a time that neither jitter nor a read changes. */
  #fixedExpiry(options: LifetimeOptions | undefined, tags: readonly string[] | undefined): Lifetime | undefined {
    return withLabels(options === undefined ? undefined : this.#spanOf(options), this.#labels(tags))
  }

  /** Shortens a lifetime at random, as `ttlJitter` says. */
  #spreadOf(lifetime: Lifetime | undefined): Lifetime | undefined {
    const span = spanOf(lifetime)
    const spread = this.#spread(span)
    return spread === span ? lifetime : withLabels(spread, labelsOf(lifetime))
  }

  #spread(lifetime: Span | undefined): Span | undefined {
    const { ttl, slidingTtl, ttlJitter } = this.#store
    if (ttlJitter === 0 || typeof lifetime === 'object') return lifetime
    if (lifetime === undefined && (ttl === Infinity || slidingTtl > 0)) return lifetime
    const exact = lifetime ?? -ttl
    return exact < 0 ? exact * (1 - Math.random() * ttlJitter) : exact
  }
}

/**
 * The keys of a cache that begin with a prefix, seen without it: see {@link MapNamespace}, whose rules hold here, too. Its
 * entries may have tags besides.
 *
 * Thread safety: as of the cache.
 */
export interface CacheNamespace<V, Freeze extends boolean = true>
  extends
    Pick<ConcurrentCache<string, V, Freeze>, KeyMethods | 'touch' | 'getOrLoad' | 'getManyOrLoad'>,
    Walks<V, Freeze> {
  /** As in {@link ConcurrentCache}. */
  set(key: string, value: Storable<V>, options?: EntryOptions): this
  /** As in {@link ConcurrentCache}. */
  setMany(entries: Iterable<readonly [string, Storable<V>, (EntryOptions | undefined)?]>, options?: EntryOptions): this
  /** Returns the namespace of a longer prefix: `clear` of this one clears it as well. Up to 4 may lie in each other. */
  namespace(prefix: string): CacheNamespace<V, Freeze>
}
