/* eslint @typescript-eslint/no-useless-default-assignment: off -- optional parameters do not count in the lengths of methods */
/* eslint @typescript-eslint/no-invalid-void-type: off -- `attach` may be called without its class */
import { verifying } from '../format/check/verify.js'
import { Region } from '../format/region.js'
import { checkFunction, checkOptions, checkVersion, flagOf } from '../base/arguments.js'
import { atOnce, inSlices, readSignal, type Job, type SlicedOptions } from '../base/slices.js'
import { deleteEach, deleteMany, getEntries, getMany, hasMany, setMany } from '../store/batches.js'
import type { Key } from '../format/key.js'
import { PUT_ALWAYS, PUT_IF_ABSENT, PUT_IF_PRESENT, PUT_IF_VERSION, type RepairReport } from '../engine/engine.js'
import { asOneCall } from '../engine/one-call.js'
import { openEngine } from '../engine/open.js'
import { getOrInsert, getOrInsertComputed } from '../store/get-or-insert.js'
import { labelOf, type MapHandle } from './handle.js'
import { DELETE, type DeleteMarker } from './delete-marker.js'
import { toMapEntry } from './entry.js'
import { incrementEntry, readMapIncrement, type MapIncrementOptions } from './increment.js'
import { changes, type Changes, type ChangesOptions, type Watching } from '../feed/changes.js'
import { Feed } from '../feed/feed.js'
import type { Change } from '../feed/subscription.js'
import { watch } from '../feed/watch.js'
import { openStore } from '../observe/open-store.js'
import { HealthCheck, type HealthReport } from '../inspect/health.js'
import type { HotKey } from '../store/near/hot-keys.js'
import { showMapsOf, summaryOf, type MapSummary } from './inspect-form.js'
import { openNamed } from './named.js'
import { openNamespace, type KeyMethods, type Walks } from './namespace.js'
import { Opening, type MapClass } from './opening.js'
import type { AttachOptions, ConcurrentMapOptions, OpenValues, OptionsFor } from './options.js'
import { compareAndDelete, compareAndSwap, update } from '../store/read-modify-write.js'
import { inspectBreaker } from '../format/breaker-word.js'
import { inspectCounters } from '../format/counters.js'
import { inspectRegion } from '../inspect/stats.js'
import { inspectMemory } from '../inspect/memory.js'
import { readKeyChoice, type KeyChoice } from '../store/key-choice.js'
import { lifeInNamespace } from '../store/membership.js'
import {
  scan,
  type DetailedScanOptions,
  type KeyScanOptions,
  type KeyScanResult,
  type ScanOptions,
  type ScanResult,
} from '../store/scan.js'
import { countingPresent, Snapshot } from './snapshot.js'
import type { Store } from '../store/store.js'
import { entriesOf, keysOf, valuesOf } from '../store/walks.js'
import {
  clear,
  clearing,
  deletingKeys,
  deletingWhere,
  repair,
  snapshot,
  snapshotting,
  whileOpen,
} from '../store/whole-map.js'
import { deleteEntry, increment, swap, take, write } from '../store/writes.js'
import type { Returned } from '../base/cloned.js'
import type { DeepReadonly } from '../base/deep-readonly.js'
import { refuseCloning } from '../base/thread-bound.js'
import type { Storable } from '../base/storable.js'
import type { DetailedScanResult, MapEntry, MapStats } from './types.js'

/** What {@link ConcurrentMap.verify} found. */
export interface VerifyReport {
  /** Whether every structural invariant holds. */
  readonly ok: boolean
  /** One line for every invariant that is violated, for the first hundred. */
  readonly problems: readonly string[]
}

/** Returns the job of a `deleteWhere`, whose first argument it checks. */
function deletionJob<K extends Key, V>(
  store: Store<V>,
  predicate: ((value: V, key: K) => boolean) | KeyChoice<K>,
): Job<number> {
  if (typeof predicate === 'object' && (predicate as unknown) !== null && !Array.isArray(predicate)) {
    return deletingKeys(store, readKeyChoice(predicate))
  }
  checkFunction('predicate', predicate)
  return deletingWhere(store, predicate as (value: V, key: Key) => boolean)
}

/** What structured clone says of a map object. */
const SEND_HANDLE = {
  'mapsafe.map': Symbol(
    'A ConcurrentMap belongs to the thread that made it: send map.handle, and open that with ConcurrentMap.attach(handle). It',
  ),
  'mapsafe.cache': Symbol(
    'A ConcurrentCache belongs to the thread that made it: send cache.handle, and open that with ConcurrentCache.attach(handle). It',
  ),
}

/** Length of {@link MapStats.hotKeys}. */
const HOT_KEYS = 10

/** Returns the store of a map object, for the classes built on it. */
export let storeOf: <K extends Key, V, Freeze extends boolean>(
  map: ConcurrentMap<K, V, Freeze>,
) => Store<Returned<V, Freeze>>

export interface ConcurrentMap<K extends Key, V, Freeze extends boolean = true> {
  /** Is the same function as {@link ConcurrentMap.entries}. */
  [Symbol.iterator](): MapIterator<[K, Returned<V, Freeze>]>
  /** The name of the class. */
  readonly [Symbol.toStringTag]: string
}

/** Gives back the thread records of map objects that were dropped without being closed. */
const dropped = new FinalizationRegistry<Store<unknown>>((store) => {
  store.close()
})

/**
 * A hash map that all worker threads of a process share, with the interface of `Map` and the atomic operations that
 * sharing calls for. It never loses an entry: when it is full, a write throws.
 *
 * Keys are strings, numbers, bigints, booleans and `Uint8Array`s, compared as `Map` compares them, except that a
 * `Uint8Array` is compared by content. Values may be anything that structured clone copies, and are copied as it copies
 * them; views are stored with the bytes they show. A value returned is a copy, deeply frozen unless the map was opened
 * with `freeze: false`.
 *
 * Thread safety: a map object belongs to the thread that made it; any number of threads may each have one on the same
 * map. Every operation on one key is atomic and linearizable, and reads never wait for writers (but for some
 * milliseconds where a writer is at work on an entry that has just expired). Unless its comment
 * gives another cost, a method takes O(1) expected time, plus O(length) of the key and value it copies.
 *
 * Errors: every method throws a {@link MapsafeError} `ERR_MAPSAFE_CLOSED` after {@link ConcurrentMap.close}. One that
 * takes a key throws `ERR_MAPSAFE_KEY_TYPE` (a `TypeError`) for a key of another type and `ERR_MAPSAFE_ENTRY_TOO_LARGE`
 * (a `RangeError`) for a key of more than 1,048,575 bytes. One that stores a value throws `ERR_MAPSAFE_VALUE_TYPE` (a
 * `TypeError`) if the value cannot be stored, `ERR_MAPSAFE_ENTRY_TOO_LARGE` if no empty map of this size would hold it,
 * and `ERR_MAPSAFE_FULL` if no room is left. `ERR_MAPSAFE_TIMEOUT` says that another thread held what was needed for 2
 * seconds, `ERR_MAPSAFE_CORRUPT` that something else wrote into the memory. A call that throws has changed nothing,
 * except where a method over many keys says otherwise.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- declares what the class's static block defines
export class ConcurrentMap<K extends Key, V, Freeze extends boolean = true> implements Iterable<
  [K, Returned<V, Freeze>]
> {
  /**
   * The object with which another thread opens the same map in {@link ConcurrentMap.attach}: a plain object to send
   * with `postMessage` or as `workerData`. The handle of a map in a file can also go to another process, as JSON. Stays
   * valid after {@link ConcurrentMap.close}.
   */
  declare readonly handle: MapHandle
  /** Every method reads it before it looks at its arguments, so that another receiver is refused first. */
  readonly #store: Store<Returned<V, Freeze>>
  readonly #health: HealthCheck
  readonly #file: string | undefined
  readonly #name: string
  #feed: Feed | undefined

  static {
    storeOf = (map) => map.#store
    const { prototype } = this
    Object.defineProperty(prototype, Symbol.iterator, Object.getOwnPropertyDescriptor(prototype, 'entries')!)
    Object.defineProperty(prototype, Symbol.toStringTag, { value: 'ConcurrentMap', configurable: true })
    showMapsOf(prototype, (map) => (#store in map ? { store: map.#store, file: map.#file } : undefined))
  }

  /**
   * Makes an empty map. O(1): its memory is virtual until touched.
   *
   * With the option `file`, opens the map in that file, and makes the file first if it does not exist. Making it takes
   * O(`maxBytes`), since the file's blocks are allocated at once.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for an option that is unknown, of the wrong type or out of range, or if
   * the file was made with another `maxBytes`; `ERR_MAPSAFE_ENGINE` if `engine: 'native'` or `file` is given and the
   * addon cannot be loaded; `ERR_MAPSAFE_FILE` if the file cannot be made or opened; `ERR_MAPSAFE_FORMAT` if it does
   * not contain a map of this version; `ERR_MAPSAFE_THREADS` if 128 map objects are open on the file;
   * `ERR_MAPSAFE_TIMEOUT` if another process takes more than 2 seconds to check a copied file
   */
  constructor(...given: OptionsFor<Freeze, ConcurrentMapOptions<Freeze>>) {
    const [options] = given
    const { place, options: resolved } = options instanceof Opening ? options : Opening.newMap(options)
    refuseCloning(this, SEND_HANDLE[place.handle.kind]) // first, as structured clone takes properties in their order
    this.handle = place.handle
    this.#file = place.handle.file
    const engine = openEngine(place.region, resolved.engine)
    this.#name = labelOf(place.handle, resolved.name)
    this.#store = openStore(engine, resolved, { ...place.handle, name: this.#name })
    this.#health = new HealthCheck(engine.words)
    dropped.register(this, this.#store, this)
  }

  /**
   * Opens a map that was made elsewhere. Called on a subclass, makes an instance of the subclass, whose constructor must
   * pass the options that it gets on to this one.
   *
   * @param handle the {@link ConcurrentMap.handle} of another map object
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `handle` is not a handle, for a wrong option, or if the constructor of
   * a subclass opens another map; `ERR_MAPSAFE_FORMAT` if its memory holds no map of this version; `ERR_MAPSAFE_ENGINE`
   * if `engine: 'native'` is given, or the map is in a file, and the addon cannot be loaded; `ERR_MAPSAFE_FILE` if the
   * map's file cannot be opened; `ERR_MAPSAFE_THREADS` if 128 map objects are open on the map; `ERR_MAPSAFE_TIMEOUT` as
   * of the constructor
   */
  static attach<K extends Key, V>(
    this: typeof ConcurrentMap | void,
    handle: MapHandle,
    options: AttachOptions<false> & OpenValues,
  ): ConcurrentMap<K, V, false>
  static attach<K extends Key, V>(
    this: typeof ConcurrentMap | void,
    handle: MapHandle,
    options?: AttachOptions,
  ): ConcurrentMap<K, V>
  static attach<M>(this: MapClass<M>, handle: MapHandle, options?: AttachOptions<boolean>): M
  static attach(this: unknown, handle: MapHandle, options: AttachOptions<boolean> | undefined = undefined): unknown {
    return Opening.existing('mapsafe.map', handle, options).open(ConcurrentMap, this)
  }

  /**
   * Opens the map with this name, the same in every thread of the process, without a handle. The main thread makes it, with
   * the options of its first call; workers find it, whenever they were started. With the option `file` any thread may come
   * first, and the map is the same in every process that gives the file.
   *
   * Several calls in one thread give the same map object, until it is closed. A named map in memory stays until the process
   * ends. In a worker that was started before the name was given, the first call waits for a turn of the main thread's event
   * loop, up to 2 seconds; else O(1).
   *
   * @param name any text but the empty one
   * @param options those left out are those of the map that is there; those that `attach` has, too, are those of the first
   * call in this thread
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for an option that is wrong, or contradicts what the map was opened with;
   * the message has both. `ERR_MAPSAFE_NAME` in a worker if the main thread has opened no map with this name, or does
   * not answer for 2 seconds. The errors of the constructor
   */
  static open<K extends Key, V>(
    this: typeof ConcurrentMap | void,
    name: string,
    options: ConcurrentMapOptions<false> & OpenValues,
  ): ConcurrentMap<K, V, false>
  static open<K extends Key, V>(
    this: typeof ConcurrentMap | void,
    name: string,
    options?: ConcurrentMapOptions,
  ): ConcurrentMap<K, V>
  static open<M>(this: MapClass<M>, name: string, options?: ConcurrentMapOptions<boolean>): M
  static open(this: unknown, name: string, options: ConcurrentMapOptions<boolean> | undefined = undefined): unknown {
    return openNamed('mapsafe.map', name, options, ConcurrentMap, this)
  }

  /**
   * Returns the value of `key`; undefined if there is no entry, or if its value is undefined.
   *
   * @contract its key | undefined | no | hit | KEY_TYPE ENTRY_TOO_LARGE | O(1)
   */
  get(key: K): Returned<V, Freeze> | undefined {
    return this.#store.get(key)
  }

  /**
   * Returns whether there is an entry for `key`, even one whose value is undefined.
   *
   * @contract its key | false | no | asked | KEY_TYPE ENTRY_TOO_LARGE | O(1)
   */
  has(key: K): boolean {
    return this.#store.has(key)
  }

  /**
   * Returns the value of `key` and the version of its entry, from one instant; undefined if there is no entry.
   *
   * @contract its key | undefined | no | hit | KEY_TYPE ENTRY_TOO_LARGE | O(1)
   */
  getEntry(key: K): MapEntry<V, Freeze> | undefined {
    const store = this.#store
    const entry = store.getEntry(key)
    return entry === undefined ? undefined : toMapEntry(store, entry)
  }

  /**
   * Returns the value of `key` without using it: in a cache this does not delay the entry's eviction, and it is not
   * counted as a read. The near-cache is neither asked nor filled, so a read that is often repeated is faster by
   * {@link ConcurrentMap.get}. Returns undefined if there is no entry.
   *
   * @contract its key | undefined | no | none | KEY_TYPE ENTRY_TOO_LARGE | O(1)
   */
  peek(key: K): Returned<V, Freeze> | undefined {
    return this.#store.peek(key)
  }

  /**
   * Returns the entry of `key`, as {@link ConcurrentMap.getEntry} does, without using it. See
   * {@link ConcurrentMap.peek}.
   *
   * @contract its key | undefined | no | none | KEY_TYPE ENTRY_TOO_LARGE | O(1)
   */
  peekEntry(key: K): MapEntry<V, Freeze> | undefined {
    const store = this.#store
    const entry = store.peekEntry(key)
    return entry === undefined ? undefined : toMapEntry(store, entry)
  }

  /**
   * Stores `value` under `key`, and overwrites the value that was there.
   *
   * @contract its key | stores | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE FULL TIMEOUT REENTRANT | O(1)
   */
  set(key: K, value: Storable<V>): this
  set(key: K, value: Storable<V>, belonging: unknown = undefined): this {
    const store = this.#store
    write(store, key, value, PUT_ALWAYS, 0, lifeInNamespace(store, belonging))
    return this
  }

  /**
   * Stores `value` if there is no entry for `key`.
   *
   * @returns whether it was stored
   * @contract its key | stores, true | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE FULL TIMEOUT REENTRANT | O(1)
   */
  setIfAbsent(key: K, value: Storable<V>): boolean
  setIfAbsent(key: K, value: Storable<V>, belonging: unknown = undefined): boolean {
    const store = this.#store
    return write(store, key, value, PUT_IF_ABSENT, 0, lifeInNamespace(store, belonging))
  }

  /**
   * Stores `value` if the entry of `key` still has the version that {@link ConcurrentMap.getEntry} returned, that is,
   * if no write came in between.
   *
   * @param version as {@link ConcurrentMap.getEntry} returned it; 0 stands for "no entry"
   * @returns whether it was stored
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `version` is no safe integer of at least 0
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE OPTIONS FULL TIMEOUT REENTRANT | O(1)
   */
  setIfVersion(key: K, value: Storable<V>, version: number): boolean
  setIfVersion(key: K, value: Storable<V>, version: number, belonging: unknown = undefined): boolean {
    const store = this.#store
    checkVersion(version)
    const mode = version === 0 ? PUT_IF_ABSENT : PUT_IF_VERSION
    return write(store, key, value, mode, version, lifeInNamespace(store, belonging))
  }

  /**
   * Stores `value` if there is an entry for `key`.
   *
   * @returns whether it was stored
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE FULL TIMEOUT REENTRANT | O(1)
   */
  replace(key: K, value: Storable<V>): boolean
  replace(key: K, value: Storable<V>, belonging: unknown = undefined): boolean {
    const store = this.#store
    return write(store, key, value, PUT_IF_PRESENT, 0, lifeInNamespace(store, belonging))
  }

  /**
   * Stores `next` if there is an entry for `key` and its value is `expected`.
   *
   * @param expected the value as it would be stored is compared with the stored one: objects by content, as
   * `util.isDeepStrictEqual` compares them, anything else as `Object.is` does. So an instance of a class is equal to an
   * object with its properties, and a `Buffer` to a `Uint8Array`. A value that cannot be stored is refused. For large
   * objects, {@link ConcurrentMap.setIfVersion} is cheaper: it compares a number, while this takes O(length) of the
   * value that is stored.
   * @returns whether it was stored
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE FULL TIMEOUT REENTRANT | O(length)
   */
  compareAndSwap(key: K, expected: V | DeepReadonly<V>, next: Storable<V>): boolean
  compareAndSwap(key: K, expected: V | DeepReadonly<V>, next: Storable<V>, belonging: unknown = undefined): boolean {
    const store = this.#store
    return compareAndSwap(store, key, expected, next, lifeInNamespace(store, belonging))
  }

  /**
   * Stores `value` under `key`.
   *
   * @returns the value that it replaced in the same instant; undefined if there was no entry
   * @contract its key | stores, undefined | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE FULL TIMEOUT REENTRANT | O(1)
   */
  swap(key: K, value: Storable<V>): Returned<V, Freeze> | undefined
  swap(key: K, value: Storable<V>, belonging: unknown = undefined): Returned<V, Freeze> | undefined {
    const store = this.#store
    return swap(store, key, value, lifeInNamespace(store, belonging))
  }

  /**
   * Returns the value of `key`; if there is no entry, stores `value` and returns it as readers will get it, in one
   * atomic step.
   *
   * @contract its key | stores | if absent | hit | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE FULL TIMEOUT REENTRANT | O(1)
   */
  getOrInsert(key: K, value: Storable<V>): Returned<V, Freeze>
  getOrInsert(key: K, value: Storable<V>, belonging: unknown = undefined): Returned<V, Freeze> {
    const store = this.#store
    const life = lifeInNamespace(store, belonging)
    return getOrInsert(store, key, value, () => life)
  }

  /**
   * Returns the value of `key`; if there is no entry, stores what `compute` returns, and returns that. If several
   * threads do so at once, each may call its `compute`, but only one value is stored, and all return that one.
   *
   * @param compute called at most once, with the key (0 for -0). An error that it throws passes through. It may use the
   * map; if it inserts the key itself, that value stays.
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `compute` is no function
   * @contract its key | stores | if absent | hit | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE OPTIONS FULL TIMEOUT REENTRANT | O(1)
   */
  getOrInsertComputed(key: K, compute: (key: K) => Storable<V>): Returned<V, Freeze>
  getOrInsertComputed(key: K, compute: (key: K) => Storable<V>, belonging: unknown = undefined): Returned<V, Freeze> {
    const store = this.#store
    checkFunction('compute', compute)
    // Before the value is computed, and so are the generations of its namespaces.
    const life = lifeInNamespace(store, belonging)
    return getOrInsertComputed(store, key, compute, () => life)
  }

  /**
   * Changes the value of `key` into what `compute` makes of it, in one atomic step: no write of another thread is lost,
   * and none comes in between.
   *
   * @param compute called with the value, or undefined if there is no entry; returns the new one, or {@link DELETE} to
   * delete the entry. Called again when another thread wrote meanwhile. An error that it throws passes through, and
   * nothing is changed. It may read the map, but a write to the map throws `ERR_MAPSAFE_REENTRANT`.
   * @returns the new value, as a reader will get it; undefined if the entry was deleted
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `compute` is no function
   * @contract its key | stores | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE OPTIONS FULL TIMEOUT REENTRANT | O(1)
   */
  update(key: K, compute: (value: Returned<V, Freeze> | undefined) => Storable<V>): Returned<V, Freeze>
  update(
    key: K,
    compute: (value: Returned<V, Freeze> | undefined) => Storable<V> | DeleteMarker,
  ): Returned<V, Freeze> | undefined
  update(
    key: K,
    compute: (value: Returned<V, Freeze> | undefined) => Storable<V> | DeleteMarker,
    belonging: unknown = undefined,
  ): Returned<V, Freeze> | undefined {
    const store = this.#store
    checkFunction('compute', compute)
    return update(store, key, compute, DELETE, lifeInNamespace(store, belonging))
  }

  /**
   * Deletes the entry of `key`.
   *
   * @returns whether there was an entry
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE TIMEOUT REENTRANT | O(1)
   */
  delete(key: K): boolean {
    return deleteEntry(this.#store, key, PUT_ALWAYS)
  }

  /**
   * Deletes the entry of `key` if it still has the version that {@link ConcurrentMap.getEntry} returned.
   *
   * @param version as {@link ConcurrentMap.getEntry} returned it. With 0 nothing is deleted: no entry has version 0
   * @returns whether it was deleted
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `version` is no safe integer of at least 0
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE OPTIONS TIMEOUT REENTRANT | O(1)
   */
  deleteIfVersion(key: K, version: number): boolean {
    const store = this.#store
    checkVersion(version)
    return deleteEntry(store, key, PUT_IF_VERSION, version)
  }

  /**
   * Deletes the entry of `key` if its value is `expected`.
   *
   * @param expected compared as by {@link ConcurrentMap.compareAndSwap}
   * @returns whether it was deleted
   * @contract its key | false | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE TIMEOUT REENTRANT | O(length)
   */
  compareAndDelete(key: K, expected: V | DeepReadonly<V>): boolean {
    return compareAndDelete(this.#store, key, expected)
  }

  /**
   * Deletes the entries for which `predicate` returns true. Other threads may write meanwhile: an entry is deleted only
   * as the predicate saw it; if another thread wrote it meanwhile, the predicate is called again. Walks as
   * {@link ConcurrentMap.keys} does. O(entries): for a million 0.6 to 1.4 s of this thread's processor time, since
   * `predicate` is given every value, decoded, and 0.1 to 0.4 s more if half of them are deleted. To choose by the key
   * alone, give a {@link KeyChoice}: with `prefix`, `key` or both, it decodes no value, and an entry that is meant is deleted
   * whatever was written meanwhile.
   *
   * @param predicate an error that it throws passes through; entries deleted before stay deleted. It may read the map,
   * but a write to the map throws `ERR_MAPSAFE_REENTRANT`.
   * @returns the number of entries deleted
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `predicate` is no function and no choice
   * @contract each entry | 0 | yes | outdated | OPTIONS TIMEOUT REENTRANT | O(entries)
   */
  deleteWhere(predicate: ((value: Returned<V, Freeze>, key: K) => boolean) | KeyChoice<K>): number {
    const store = this.#store
    const job = deletionJob(store, predicate)
    return asOneCall(store.openToWrite(), () => atOnce(job))
  }

  /**
   * Deletes as {@link ConcurrentMap.deleteWhere} does, in slices of a millisecond, between which the event loop has a
   * turn. Entries that are inserted or changed meanwhile, by this thread or others, are met or not.
   *
   * @param predicate as for {@link ConcurrentMap.deleteWhere}, which it costs in all. An error that it throws rejects
   * the call; entries deleted before stay deleted.
   * @returns the number of entries deleted
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `predicate` is no function and no choice, or for a wrong option; the
   * signal's reason if that aborts. All errors reject the call.
   * @contract each entry | 0 | yes | outdated | OPTIONS TIMEOUT REENTRANT | O(entries), in slices
   */
  async deleteWhereAsync(
    predicate: ((value: Returned<V, Freeze>, key: K) => boolean) | KeyChoice<K>,
    options: SlicedOptions | undefined = undefined,
  ): Promise<number> {
    const store = this.#store
    const job = deletionJob(store, predicate)
    const signal = readSignal(options)
    store.openToWrite()
    return inSlices(job, signal)
  }

  /**
   * Deletes the entry of `key`.
   *
   * @returns the value that it had in the same instant; undefined if there was no entry
   * @contract its key | undefined | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE TIMEOUT REENTRANT | O(1)
   */
  take(key: K): Returned<V, Freeze> | undefined {
    return take(this.#store, key, PUT_ALWAYS)
  }

  /**
   * Adds `by` to the number under `key`, which counts as 0 if there is no entry. Exact, no matter how many threads do
   * so.
   *
   * @param by a safe integer, default 1
   * @returns the sum; undefined if `ifPresent` is true and there is no entry
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `by` is not a safe integer, or for a wrong option;
   * `ERR_MAPSAFE_COUNTER`: a `TypeError` if the value is not a safe integer, a `RangeError` if the sum would not be one
   * @contract its key | stores | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE OPTIONS COUNTER FULL TIMEOUT REENTRANT | O(1)
   */
  increment(key: K, by?: number, options?: MapIncrementOptions & { readonly ifPresent?: false | undefined }): number
  increment(key: K, by: number | undefined, options: MapIncrementOptions | undefined): number | undefined
  increment(key: K, by = 1, options: MapIncrementOptions | undefined = undefined): number | undefined {
    const store = this.#store
    const { mode } = readMapIncrement(by, options)
    return increment(store, key, by, lifeInNamespace(store, options), mode)
  }

  /**
   * Adds as {@link ConcurrentMap.increment} does, with the same errors, and returns the entry that has the sum, with
   * its version, all from the same instant.
   *
   * @contract its key | stores | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE OPTIONS COUNTER FULL TIMEOUT REENTRANT | O(1)
   */
  incrementEntry(
    key: K,
    by?: number,
    options?: MapIncrementOptions & { readonly ifPresent?: false | undefined },
  ): MapEntry<number>
  incrementEntry(key: K, by: number | undefined, options: MapIncrementOptions | undefined): MapEntry<number> | undefined
  incrementEntry(key: K, by = 1, options: MapIncrementOptions | undefined = undefined): MapEntry<number> | undefined {
    const store = this.#store
    const { mode } = readMapIncrement(by, options)
    return incrementEntry(store, key, by, mode, lifeInNamespace(store, options))
  }

  /**
   * Returns the values of `keys`, in their order: undefined for a key without an entry. One call of the engine, or one
   * for each 64 KiB of values that are objects, for all keys that the near-cache cannot answer. Each key is read for
   * itself: not one atomic step. O(keys).
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `keys` is not iterable, or a single string or `Uint8Array`
   * @contract each key | undefined for it | no | hit | KEY_TYPE ENTRY_TOO_LARGE OPTIONS | O(keys)
   */
  getMany(keys: Iterable<K>): (Returned<V, Freeze> | undefined)[] {
    return getMany(this.#store, keys)
  }

  /**
   * Returns whether there are entries for `keys`, in their order. Each key is looked up for itself: not one atomic step.
   * O(keys).
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` as {@link ConcurrentMap.getMany}
   * @contract each key | false for it | no | asked | KEY_TYPE ENTRY_TOO_LARGE OPTIONS | O(keys)
   */
  hasMany(keys: Iterable<K>): boolean[] {
    return hasMany(this.#store, keys)
  }

  /**
   * Returns the entries of `keys`, in their order, as {@link ConcurrentMap.getEntry} does: undefined for a key without
   * one. Each key is read for itself: not one atomic step. O(keys).
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` as {@link ConcurrentMap.getMany}
   * @contract each key | undefined for it | no | hit | KEY_TYPE ENTRY_TOO_LARGE OPTIONS | O(keys)
   */
  getEntries(keys: Iterable<K>): (MapEntry<V, Freeze> | undefined)[] {
    const store = this.#store
    return getEntries(store, keys).map((entry) => (entry === undefined ? undefined : toMapEntry(store, entry)))
  }

  /**
   * Stores all `entries`, in their order, and calls the engine as seldom as {@link ConcurrentMap.getMany} does. Each
   * entry is stored for itself: not one atomic step. O(entries); all of them are encoded in this thread's memory first.
   *
   * A key or value that cannot be stored throws before anything is changed. `ERR_MAPSAFE_FULL`,
   * `ERR_MAPSAFE_ENTRY_TOO_LARGE` for a value and `ERR_MAPSAFE_TIMEOUT` may come midway: `error.completed` then tells
   * how many entries, from the first on, are stored; the others are as they were.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `entries` is not iterable, or has something else in it than pairs
   * @contract each entry | stores | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE VALUE_TYPE OPTIONS FULL TIMEOUT REENTRANT | O(entries)
   */
  setMany(entries: Iterable<readonly [K, Storable<V>]>): this
  setMany(entries: Iterable<readonly [K, Storable<V>]>, belonging: unknown = undefined): this {
    const store = this.#store
    const life = lifeInNamespace(store, belonging)
    setMany(store, entries, () => life)
    return this
  }

  /**
   * Deletes the entries of `keys` in one call of the engine. Each is deleted for itself: not one atomic step. O(keys).
   * If `ERR_MAPSAFE_TIMEOUT` comes midway, `error.completed` says how many keys, from the first on, have been dealt
   * with.
   *
   * @param options with `which: true`, the result says for each key whether there was an entry; then the engine is
   * called once for each key
   * @returns the number of entries deleted
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` as {@link ConcurrentMap.getMany}, or for a wrong option; a wrong key
   * throws before anything is deleted
   * @contract each key | 0 | yes | outdated | KEY_TYPE ENTRY_TOO_LARGE OPTIONS TIMEOUT REENTRANT | O(keys)
   */
  deleteMany(keys: Iterable<K>, options?: { readonly which?: false | undefined }): number
  deleteMany(keys: Iterable<K>, options: { readonly which: true }): boolean[]
  deleteMany(
    keys: Iterable<K>,
    options: { readonly which?: boolean | undefined } | undefined = undefined,
  ): number | boolean[] {
    const store = this.#store
    if (options === undefined) return deleteMany(store, keys)
    checkOptions(options, ['which'])
    return flagOf(options, 'which') ? deleteEach(store, keys) : deleteMany(store, keys)
  }

  /**
   * Deletes all entries. O(entries): for a million 0.13 s of this thread's processor time, TypeScript engine 0.3 s.
   *
   * Not one atomic step: an entry that another thread inserts meanwhile may survive, and if `ERR_MAPSAFE_TIMEOUT` comes
   * midway, the entries deleted before stay deleted.
   *
   * @contract each entry | undefined | yes | outdated | TIMEOUT REENTRANT | O(entries)
   */
  clear(): void {
    clear(this.#store)
  }

  /**
   * Deletes all entries that are there when it begins, in slices of a millisecond, between which the event loop has a
   * turn. O(entries) in all, as {@link ConcurrentMap.clear}.
   *
   * Entries that are inserted meanwhile, by this thread or others, may survive or not; readers may find some of the old
   * entries for as long as it runs. If it fails midway, the entries deleted before stay deleted.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option; the signal's reason if that aborts. All errors
   * reject the call.
   * @contract each entry | undefined | yes | outdated | OPTIONS TIMEOUT REENTRANT | O(entries), in slices
   */
  async clearAsync(options: SlicedOptions | undefined = undefined): Promise<void> {
    const store = this.#store
    const signal = readSignal(options)
    store.openToWrite()
    await inSlices(clearing(store), signal)
  }

  /**
   * Returns the number of entries: exact when no write is under way, else off by no more than the writes under way
   * during the call, and never negative. O(128), the number of thread records.
   *
   * @contract no | 0 | no | none | | O(thread records)
   */
  get size(): number {
    return this.#store.open().size()
  }

  /**
   * Iterates over the keys, in no particular order.
   *
   * Iteration is weakly consistent, here as in the methods below. It never throws because other threads write. A key
   * that is there throughout appears exactly once; a key deleted before its turn does not appear; a value is the one
   * that the key has when the iteration reaches it. The map may be changed while iterating. A million keys take 0.4 s
   * of this thread's processor time, TypeScript engine 0.6 s; with values 0.4 to 1.2 s. In a cache, iterating does not
   * count as a use of an entry, so it does not delay eviction. Once the map is closed, the next step of an iterator
   * throws `ERR_MAPSAFE_CLOSED`.
   *
   * @contract each step | nothing | no | none | | O(entries)
   */
  keys(): MapIterator<K> {
    return keysOf(this.#store) as MapIterator<K>
  }

  /**
   * Iterates over the values, as {@link ConcurrentMap.keys} does.
   *
   * @contract each step | nothing | no | none | | O(entries)
   */
  values(): MapIterator<Returned<V, Freeze>> {
    return valuesOf(this.#store)
  }

  /**
   * Iterates over pairs of key and value, as {@link ConcurrentMap.keys} does.
   *
   * @contract each step | nothing | no | none | | O(entries)
   */
  entries(): MapIterator<[K, Returned<V, Freeze>]> {
    return entriesOf(this.#store) as MapIterator<[K, Returned<V, Freeze>]>
  }

  /**
   * Returns the next entries in an order that all threads share, for walks that stop and go on: later, in another
   * thread, or in several at once. Consistent as {@link ConcurrentMap.keys} is. O(count + keys of one segment, a few
   * hundred).
   *
   * A cursor is a number and stays good as long as the map exists, regardless of writes and growth. It reveals nothing
   * about the map, so it may be given to clients; `part` and `parts` are not for clients to choose. A cursor goes on in
   * the part it came from. To share a walk among n threads, let each one scan a part of its own: the parts `0` to
   * `n - 1` of `n` are disjoint and together the whole map.
   *
   * @param cursor the cursor that the last call returned; undefined or 0 to begin
   * @returns the entries, and the cursor to go on from: undefined at the end. There may be fewer entries than `count`
   * before the end, even none, where entries were just deleted, or where few keys have the `prefix`: `count` counts the
   * keys that are looked at; and more, where keys have the same hash.
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for an option of the wrong type or range, or for a number that is no
   * cursor of this map and part (an invented number passes once in a million times, and then stands for some place)
   * @contract each entry | nothing | no | none | OPTIONS | O(count)
   */
  scan(cursor: number | undefined, options: DetailedScanOptions): DetailedScanResult<K, V, Freeze>
  scan(cursor: number | undefined, options: KeyScanOptions): KeyScanResult<K>
  scan(cursor?: number, options?: ScanOptions): ScanResult<K, V, Freeze>
  scan(
    cursor: number | undefined = undefined,
    options: ScanOptions | DetailedScanOptions | KeyScanOptions | undefined = undefined,
  ): ScanResult<K, V, Freeze> | DetailedScanResult<K, V, Freeze> | KeyScanResult<K> {
    const store = this.#store
    return scan(store, cursor, options, (entry) => toMapEntry(store, entry)) as ScanResult<K, V, Freeze>
  }

  /**
   * Copies all entries as they are at one instant between call and return. Every write that was over before the call is
   * in it, and no write that begins after it; of two writes by one thread, never the second without the first.
   *
   * O(size of the entries) in time and in memory of this thread: for a million entries of 120 bytes 0.15 s of its
   * processor time, TypeScript engine 0.25 s. Reads go on meanwhile, in all threads. Writes go on, too, until the copy
   * is nearly complete; then they wait until the latest writes are copied: at 10,000 writes a second some 4 ms, 15 at
   * worst, in a map of a million entries (docs/internals/protocol.md, "Snapshot").
   *
   * The snapshot is a copy of its own: it can be read after the map is closed, and is garbage-collected like any
   * object.
   *
   * @throws MapsafeError `ERR_MAPSAFE_REENTRANT` from inside a function that decides on a write
   * @contract all entries | nothing | yes | none | TIMEOUT REENTRANT | O(size of the entries)
   */
  snapshot(): Snapshot<K, V, Freeze> {
    const store = this.#store
    const { pieces, size, instant } = snapshot(store)
    return new Snapshot(store, pieces, store.mayExpire ? atOnce(countingPresent(pieces, instant)) : size, instant)
  }

  /**
   * Copies all entries as they are at one instant between call and fulfilment, in slices of a millisecond, between which
   * the event loop has a turn. The instant has a slice of its own, in which what was written since the last look is
   * copied: O(segments + those writes), for a million entries some milliseconds. What this thread writes between call
   * and fulfilment may be in the snapshot or not; otherwise it is what {@link ConcurrentMap.snapshot} returns.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, `ERR_MAPSAFE_REENTRANT` from inside a function that
   * decides on a write; the signal's reason if that aborts. All errors reject the call.
   * @contract all entries | nothing | yes | none | OPTIONS TIMEOUT REENTRANT | O(size of the entries), in slices
   */
  async snapshotAsync(options: SlicedOptions | undefined = undefined): Promise<Snapshot<K, V, Freeze>> {
    const store = this.#store
    const signal = readSignal(options)
    const { pieces, size, instant } = await inSlices(snapshotting(store), signal)
    const present = store.mayExpire ? await inSlices(countingPresent(pieces, instant), signal) : size
    return new Snapshot(store, pieces, present, instant)
  }

  /**
   * Calls `callback` for every entry, in the way {@link ConcurrentMap.keys} iterates.
   *
   * @param callback an error that it throws passes through and ends the walk. It may change the map.
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `callback` is no function
   * @contract each step | nothing | no | none | OPTIONS | O(entries)
   */
  forEach(callback: (value: Returned<V, Freeze>, key: K, map: this) => void, thisArg: unknown = undefined): void {
    const store = this.#store
    checkFunction('callback', callback)
    for (const [key, value] of entriesOf(store)) Reflect.apply(callback, thisArg, [value, key as K, this])
  }

  /**
   * Returns figures about past operations, the map's memory, the threads that use it, and this thread's hot keys.
   * O(segments + spans): tens of microseconds for 64 MiB, 7 ms for a million entries. It holds up no other thread, and
   * its figures cost the other operations no extra counting.
   *
   * @contract no | figures | no | none | | O(segments + spans)
   */
  stats(): MapStats<K> {
    const engine = this.#store.open()
    const { words } = engine
    const { clock } = this.#store
    this.#store.reads.flush(words)
    return {
      ...inspectRegion(engine),
      counters: inspectCounters(words),
      breaker: inspectBreaker(words, (time) => clock.toWall(time)),
      memory: inspectMemory(words),
      name: this.#name,
      file: this.#file,
      hotKeys: this.#store.hotKeys.top(HOT_KEYS) as HotKey<K>[],
    }
  }

  /**
   * Returns what `JSON.stringify` shows of a map: its class, size and memory, and no entry, so that an object with a map
   * in it can be logged. To store the entries as JSON, use `[...map]`; to give another process the map, its
   * {@link ConcurrentMap.handle}. Does not throw, not even after {@link ConcurrentMap.close}. O(128).
   *
   * @contract no | figures | no | none | | O(128)
   */
  toJSON(): MapSummary {
    const store = this.#store
    return summaryOf(this, store, this.#file)
  }

  /**
   * Judges the map: how many of its slots hold live entries, whether near-caches pay, how much memory and index the map
   * takes for its entries, and whether memory was lost. Each verdict has its figures, its threshold, and advice where
   * the threshold is exceeded.
   *
   * O(slots + free blocks), 0.2 s of this thread's processor time for a million entries: call it now and then.
   * {@link ConcurrentMap.stats} has figures at a glance. No other thread is held up. In a map in use, the figures are
   * from slightly different times.
   *
   * Near reads are those of all threads since the last call on this map object, or since it was opened. Memory that
   * seems lost may be memory that another thread is just writing; while others have the map open, it takes two calls,
   * two seconds apart, to distinguish the two.
   *
   * @contract no | figures | no | none | | O(slots + free blocks)
   */
  health(): HealthReport {
    const engine = this.#store.open()
    this.#store.reads.flush(engine.words)
    return this.#health.run(engine)
  }

  /**
   * Judges as {@link ConcurrentMap.health} does, in slices of a millisecond, between which the event loop has a turn.
   * What is written meanwhile, by this thread or others, makes its figures a little more from different times, and
   * memory that seems lost takes two calls, two seconds apart, to be called so.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option; the signal's reason if that aborts. All errors
   * reject the call.
   * @contract no | figures | no | none | OPTIONS | O(slots + free blocks), in slices
   */
  async healthAsync(options: SlicedOptions | undefined = undefined): Promise<HealthReport> {
    const store = this.#store
    const signal = readSignal(options)
    const engine = store.open()
    store.reads.flush(engine.words)
    return inSlices(whileOpen(store, this.#health.running(engine)), signal)
  }

  /**
   * Checks every structural invariant of the map's memory. O(size of the map): for a million entries 0.8 s of this
   * thread's processor time, TypeScript engine 0.4 s. Meant for tests and for diagnosis. Call it while no thread
   * writes, or it may take a write under way for a fault.
   *
   * @contract no | a report | no | none | | O(size of the map)
   */
  verify(): VerifyReport {
    const problems = this.#store.open().verify()
    return { ok: problems.length === 0, problems }
  }

  /**
   * Checks as {@link ConcurrentMap.verify} does, with either engine, in slices of about a millisecond, between which the
   * event loop has a turn. What is written between two slices, by this thread too, it may take for a fault.
   *
   * @param options `signal` ends the call between two slices
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option, `ERR_MAPSAFE_CLOSED` if the map is closed meanwhile; the
   * signal's reason if that aborts. All errors reject the call.
   * @contract no | a report | no | none | OPTIONS | O(size of the map), in slices
   */
  async verifyAsync(options: SlicedOptions | undefined = undefined): Promise<VerifyReport> {
    const store = this.#store
    const signal = readSignal(options)
    const job = verifying(new Region(store.open().words.buffer))
    const problems = await inSlices(whileOpen(store, job), signal)
    return { ok: problems.length === 0, problems }
  }

  /**
   * Puts right what threads and processes left behind when they ended in the middle of an operation: by SIGKILL,
   * `worker.terminate()` or a crash. The other threads go on by themselves after such an end; until a repair, only
   * memory that was just being filled or freed may remain lost, at most some hundred blocks for each thread that ended.
   * A repair looks for it only if this map object is the only one on the map, as after opening a file anew. O(entries);
   * meanwhile writes of other threads wait, and reads do not.
   *
   * @throws MapsafeError `ERR_MAPSAFE_TIMEOUT` if a thread that still lives holds something for longer than the bound,
   * `ERR_MAPSAFE_CORRUPT` if the memory was overwritten from outside, `ERR_MAPSAFE_REENTRANT` from inside a function
   * that decides on a write
   * @contract all entries | a report | yes | none | TIMEOUT REENTRANT | O(entries)
   */
  repair(): RepairReport {
    return repair(this.#store)
  }

  /**
   * Returns the keys that begin with `prefix`, seen without it: an object with the methods of the map about keys, and with a
   * {@link MapNamespace.clear} that takes all its entries away at once, for every thread and process, in O(1). It may be made
   * anew at any time, in any thread; the same prefix is the same namespace. O(1).
   *
   * @param prefix a text that is not empty, with what separates it from the keys, like `'user:'`
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything else
   * @contract no | a namespace | no | none | OPTIONS | O(1)
   */
  namespace(prefix: string extends K ? string : never): MapNamespace<V, Freeze> {
    return openNamespace(this, this.#store as Store<never>, prefix) as MapNamespace<V, Freeze>
  }

  /**
   * Tells which keys change, whichever thread or process changes them, and why: `for await (const change of
   * map.changes())`. Begins with the call, so that whatever is read after it is as old as the first change told, or newer;
   * who is told of a change never reads an older value, from the near-cache neither.
   *
   * Of several changes of a key that wait to be read, the last one is told. A reader that cannot keep up, and all readers
   * when a thread dies in the midst of a write, get `{ type: 'missed' }` in place of the changes that are missing: then
   * what matters should be read again. The removal of an expired entry is told, which is some seconds after its time; a
   * `touch` is not. `{ type: 'invalidated', tag }` says that all entries with a tag are gone. Values are not told: read them.
   *
   * The first call for a map takes 1/64 of its memory, at most 1 MiB, for good. While nobody watches, a write pays one
   * load. An iteration that waits keeps the process alive. It ends with `break`, with an abort of `signal` (it then throws
   * the reason), and when this map object is closed.
   *
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for an option that is unknown or wrong, or for `keys` and `prefix` at once
   * @contract each key | a watcher | no | none | KEY_TYPE ENTRY_TOO_LARGE OPTIONS FULL TIMEOUT REENTRANT | O(keys given)
   */
  changes(options: ChangesOptions<K> | undefined = undefined): Changes<K> {
    const feed = this.#openFeed()
    return changes(feed, options)
  }

  /**
   * Calls `listener` with the changes of `key`, as {@link ConcurrentMap.changes} tells them, in turns of the event loop of
   * this thread. Keeps no process alive. What the listener throws is an uncaught exception.
   *
   * @returns what stops it: call its `stop`, or declare it with `using`
   * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `listener` is no function
   * @contract its key | a watcher | no | none | KEY_TYPE ENTRY_TOO_LARGE OPTIONS FULL TIMEOUT REENTRANT | O(1)
   */
  watch(key: K, listener: (change: Change<K>) => void): Watching {
    return watch(this.#openFeed(), key, listener)
  }

  #openFeed(): Feed {
    const store = this.#store
    store.open()
    return (this.#feed ??= new Feed(store, this))
  }

  /**
   * Lets go of the map in this thread. Entries stay while some thread holds the map or its
   * {@link ConcurrentMap.handle}; entries in a file stay as long as the file does. (The file's memory is unmapped when
   * the garbage collector has found it unused.) Every other method throws afterwards; closing again does nothing. A map
   * object that is dropped closes by itself, sooner or later. O(1), plus the free blocks that this thread keeps.
   *
   * @contract this object | nothing | no | none | | O(1)
   */
  close(): void {
    const feed = this.#feed
    this.#feed = undefined
    feed?.close()
    if (this.#store.close()) dropped.unregister(this)
  }

  /** Calls {@link ConcurrentMap.close}, or the `close` of a subclass. */
  [Symbol.dispose](): void {
    if (#store in this) this.close()
    else throw new TypeError('The receiver is no ConcurrentMap.')
  }
}

/**
 * The keys of a map that begin with a prefix, seen without it: see {@link ConcurrentMap.namespace}. Its methods are those of
 * the map, on `prefix + key`, with the same costs and errors; keys are strings.
 *
 * An entry belongs to the namespace that wrote it. One that the map itself has written under such a key is found here, but
 * {@link MapNamespace.clear} leaves it, and `update` and `increment` leave an entry where it belongs.
 *
 * Left out is what concerns a map as a whole: `size`, which would take a walk, `scan`, `snapshot`, `changes` and `watch`
 * (give the map the option `prefix`, or the whole key), figures, checks, and closing.
 *
 * Thread safety: as of the map.
 */
export interface MapNamespace<V, Freeze extends boolean = true>
  extends Pick<ConcurrentMap<string, V, Freeze>, KeyMethods>, Walks<V, Freeze> {
  /** As in {@link ConcurrentMap}. */
  set(key: string, value: Storable<V>): this
  /** As in {@link ConcurrentMap}. */
  setMany(entries: Iterable<readonly [string, Storable<V>]>): this
  /** Returns the namespace of a longer prefix: `clear` of this one clears it as well. Up to 4 may lie in each other. */
  namespace(prefix: string): MapNamespace<V, Freeze>
}
