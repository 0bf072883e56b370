import type { Key } from '../format/key.js'
import type { CodecRow } from '../codec/codec.js'
import { ValueCodecs, type ValueEncoder } from '../codec/value.js'
import {
  ABSENT,
  ENCODED,
  FOUND,
  RESULT_ENTRY,
  RESULT_EXPIRES_AT,
  RESULT_FOUND_LABELS,
  RESULT_HOME,
  RESULT_HOME_VERSION,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_OF_FOUND_LABELS,
  RESULT_STALE_UNTIL,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  UNCHANGED,
  type Engine,
} from '../engine/engine.js'
import { NEVER } from '../format/entry.js'
import { watchValues, type ChangedValues } from './changed-values.js'
import { Clock } from './clock.js'
import { engineError } from '../engine/engine-error.js'
import { useClocksOf } from '../format/eviction-area.js'
import { MapsafeError } from '../base/errors.js'
import { giveLabels } from './give-labels.js'
import { renewalDue, spanOf, type Lifetime } from './lifetime.js'
import { LabelIndex } from './labels.js'
import { HotKeys } from './near/hot-keys.js'
import { NearCache } from './near/near-cache.js'
import type { NearEntry } from './near/near-entry.js'
import { ReadCounts } from './near/read-counts.js'
import { refuseReentry } from './reentry.js'
import { prolong } from './prolong.js'
import { lackedRoom } from './room.js'
import { MapShapes } from './shapes.js'
import { readSlidingTtl, readTtl, readTtlJitter } from '../format/cache-settings.js'
import { BLOCK_WORDS, FLAG_CACHE, HEADER_FLAGS, HEADER_SLIDES, LABEL_WORDS } from '../format/layout.js'
import type { Labels } from '../format/labels.js'
import type { Staged } from './staged.js'
import { BackgroundSweep } from './background-sweep.js'
import { Sweeper } from './sweeper.js'
import { type Buffer } from '../platform/buffer.js'

/** Encoded bytes above which a value is not kept in the near-cache, whose bound is a number of entries. */
const MAX_NEAR_BYTES = 65_536

/** Ways to read an entry: counting as a use, not counting as a use, and holding its key. */
const USING = 0
const PASSING = 1
const HOLDING = 2
type Way = typeof USING | typeof PASSING | typeof HOLDING

/** The clock of a map, in whose near-cache only dropped entries count as expired, and those that were invalidated. */
const NO_CLOCK = { hasPassed: (expiresAt: number) => expiresAt !== Infinity, distrust: () => undefined }

/** An entry as it was at one instant. */
export interface StoredEntry<V> {
  readonly value: V
  readonly version: number
  /** When the entry expires, in the form that engines take: NEVER if it does not. */
  readonly expiresAt: number
  /** Milliseconds that it lives from its last read or write on; 0 if reads do not renew it. */
  readonly slidingTtl: number
  /** Its labels; undefined if it has none. */
  readonly labels: Labels | undefined
}

/**
 * One thread's way to a map: engine, codec and near-cache together. The public classes document its operations and
 * check their arguments.
 *
 * Thread safety: one thread.
 */
export class Store<V> {
  /** Notes every call about one key that goes to the engine; the function that begins the call notes it, once. */
  readonly hotKeys = new HotKeys()
  #engine: Engine | undefined
  #near: NearCache | undefined
  /** The clock of a cache; undefined in a map. */
  #clock: Clock | undefined
  /** Counts of the reads that users asked for, without those that walks and writes make for themselves. */
  readonly reads: ReadCounts
  readonly #codecs: ValueCodecs
  /** The map's table of shapes; undefined once this thread has closed it. */
  #shapes: MapShapes | undefined
  /** Notices changed values, where that is asked for. */
  readonly #changed: ChangedValues | undefined
  /** The sweeper of a cache; undefined in a map. */
  #sweeper: Sweeper | undefined
  /** What deletes invalidated entries of a map, once there are some. */
  #sweep: BackgroundSweep | undefined
  /** The labels of tags and namespaces. */
  readonly labelIndex = new LabelIndex()
  /** The engine's result, as doubles. */
  readonly #resultDoubles: Float64Array
  /** Milliseconds that an entry lives by default. */
  readonly ttl: number
  /** Milliseconds that an entry lives by default from its last read or write on; 0 if reads do not renew it. */
  readonly slidingTtl: number
  /** The largest part of a lifetime that is left out at random. */
  readonly ttlJitter: number
  readonly #isCache: boolean
  /** Whether each write must pass through {@link Store.put}, even one of many. */
  readonly isObserved: boolean = false

  /**
   * @param nearEntries capacity of the near-cache, or 0 for none
   * @param codecs the registry of codecs; default the usual one
   */
  constructor(engine: Engine, freeze: boolean, nearEntries: number, codecs?: readonly CodecRow[]) {
    this.#engine = engine
    this.#isCache = (engine.words[HEADER_FLAGS] & FLAG_CACHE) !== 0
    const clock = this.mayExpire ? new Clock(engine) : undefined
    this.#clock = clock
    this.#near =
      nearEntries === 0
        ? undefined
        : new NearCache(engine.words, nearEntries, clock ?? NO_CLOCK, useClocksOf(engine.words))
    this.#changed = watchValues(freeze)
    this.#shapes = new MapShapes(engine)
    this.#codecs = new ValueCodecs(freeze, () => this.#shapes, codecs)
    this.#resultDoubles = new Float64Array(engine.result.buffer)
    this.slidingTtl = readSlidingTtl(engine.words)
    this.ttl = this.slidingTtl === 0 ? readTtl(engine.words) : this.slidingTtl
    this.ttlJitter = readTtlJitter(engine.words)
    this.reads = new ReadCounts(engine.mark)
    this.#sweeper = clock && new Sweeper(engine, clock, this.reads)
  }

  /** Returns the engine; throws ERR_MAPSAFE_CLOSED after {@link Store.close}. */
  open(): Engine {
    if (this.#engine === undefined) {
      throw new MapsafeError(
        'ERR_MAPSAFE_CLOSED',
        this.#isCache
          ? 'This cache was closed by this thread. Open it again with ConcurrentCache.attach(cache.handle).'
          : 'This map was closed by this thread. Open it again with ConcurrentMap.attach(map.handle).',
      )
    }
    return this.#engine
  }

  /**
   * Returns the engine for a write: as {@link Store.open}, but also throws ERR_MAPSAFE_REENTRANT where a write is
   * refused.
   */
  openToWrite(): Engine {
    const engine = this.open()
    refuseReentry(engine)
    return engine
  }

  /** Closes the engine. Returns false if it was closed before. */
  close(): boolean {
    const engine = this.#engine
    if (engine === undefined) return false
    this.#sweeper?.stop()
    this.#sweep?.stop()
    this.reads.flush(engine.words)
    // Drops all references to the region: a closed map object that is still referenced must not keep the memory.
    this.#engine = undefined
    this.#shapes = undefined
    this.#near = undefined
    this.#clock = undefined
    this.#sweeper = undefined
    this.#sweep = undefined
    engine.close()
    return true
  }

  /**
   * Makes every entry that has one of the labels invalid, for every thread and process. A cache's sweeper deletes them; in a
   * map this thread does so in the background, and whoever needs their room.
   */
  invalidate(labels: readonly string[]): void {
    const engine = this.openToWrite()
    this.labelIndex.invalidate(engine, labels)
    if (!this.#isCache) (this.#sweep ??= new BackgroundSweep(engine)).beginLater()
  }

  get isClosed(): boolean {
    return this.#engine === undefined
  }

  /** Returns what the near-cache knows for certain about `key`. If it knows anything, this counts as a read. */
  near(key: Key): NearEntry | undefined {
    const hit = this.#near?.use(key)
    if (hit !== undefined) this.#countNear(hit)
    return hit
  }

  /** Returns the value of `key`, from the near-cache if it is current there; undefined if there is no entry. */
  get(key: Key): V | undefined {
    const near = this.#near
    const hit = near?.use(key)
    if (hit === undefined) return this.#readFar(key, near?.outdated)
    this.#countNear(hit)
    return hit.value as V | undefined
  }

  /**
   * Returns the value of `key` as {@link Store.get} does, with its entry's version and expiry; undefined if there is no
   * entry.
   */
  getEntry(key: Key): StoredEntry<V> | undefined {
    const near = this.#near
    const hit = near?.use(key)
    if (hit !== undefined) {
      this.#countNear(hit)
      return nearEntry(hit)
    }
    const value = this.#readFar(key, near?.outdated)
    return this.found ? this.lastEntry(value as V) : undefined
  }

  /** Returns the value of `key` for a call about this key alone: see {@link Store.readPassing}. */
  peek(key: Key): V | undefined {
    return this.readPassing(key)
  }

  /** Returns the entry of `key` for a call about this key alone: see {@link Store.readPassing}. */
  peekEntry(key: Key): StoredEntry<V> | undefined {
    return this.entryPassing(key)
  }

  /** Is {@link Store.getEntry} for many keys: values from the engine are not remembered. */
  getEntryOfMany(key: Key): StoredEntry<V> | undefined {
    const hit = this.near(key)
    if (hit !== undefined) return nearEntry(hit)
    const engine = this.open()
    const value = this.#read(engine, key, undefined)
    this.#renewIfDue(engine, key)
    const entry = this.found ? this.lastEntry(value as V) : undefined
    this.reads.countFar(engine.words, entry !== undefined)
    return entry
  }

  /** Returns whether there is an entry for `key`. Not counted as a read. */
  has(key: Key): boolean {
    const known = this.knows(key)
    if (known !== undefined) return known
    this.open()
    this.hotKeys.note(key)
    return this.hasPassing(key)
  }

  /** Returns whether there is an entry for `key`, if the near-cache can tell. Not counted as a read. */
  knows(key: Key): boolean | undefined {
    return this.#near?.hit(key)?.present
  }

  /** Is {@link Store.has} for walks over many keys: see {@link Store.readPassing}. */
  hasPassing(key: Key): boolean {
    const engine = this.open()
    engine.peek(key)
    const status = engine.result[RESULT_STATUS]
    if (status < 0) throw engineError(engine, key)
    return status === FOUND
  }

  /**
   * Returns the value of `key` from the engine, and remembers it in the near-cache. {@link Store.found} distinguishes
   * undefined from absent.
   */
  read(key: Key): V | undefined {
    return this.#readFar(key, this.#near?.find(key))
  }

  /** @param known the near-cache's entry of the key */
  #readFar(key: Key, known: NearEntry | undefined): V | undefined {
    const engine = this.open()
    this.hotKeys.note(key)
    const near = this.#near
    if (near === undefined || typeof key === 'object') {
      const value = this.#read(engine, key, undefined)
      this.reads.countFar(engine.words, engine.result[RESULT_STATUS] !== ABSENT)
      this.#renewIfDue(engine, key)
      return value
    }
    const value = this.#read(engine, key, known)
    const { result } = engine
    const kind = result[RESULT_STATUS]
    this.reads.nearMisses++
    if (kind === UNCHANGED) this.reads.nearRefreshed++
    this.reads.countFar(engine.words, kind !== ABSENT)
    // All readers in this thread share an object that is kept, so it must be immutable, but for dates, which are compared.
    const dates = kind === ENCODED ? this.#codecs.dates : undefined
    const keep =
      (kind !== ENCODED || dates !== undefined || this.#codecs.immutable) &&
      (kind === ABSENT || result[RESULT_LENGTH] <= MAX_NEAR_BYTES)
    if (keep) {
      const home = (result[RESULT_HOME] >>> 0) * BLOCK_WORDS
      const isPresent = kind !== ABSENT
      const entryVersion = isPresent ? this.version : 0
      const at = isPresent ? (result[RESULT_ENTRY] >>> 0) * BLOCK_WORDS : 0
      const { expiresAt, lastSlidingTtl, lastLabels } = this
      const version = result[RESULT_HOME_VERSION]
      near.store(
        key,
        known,
        home,
        version,
        isPresent,
        value,
        entryVersion,
        expiresAt,
        at,
        lastSlidingTtl,
        dates,
        lastLabels,
      )
    } else if (known !== undefined) {
      near.drop(known)
    }
    this.#renewIfDue(engine, key)
    return value
  }

  /** Renews the entry that the last read found, if reads renew it and did not do so a moment ago. */
  #renewIfDue(engine: Engine, key: Key): void {
    const { lastSlidingTtl } = this
    if (lastSlidingTtl === 0 || this.now() < renewalDue(this.expiresAt!, lastSlidingTtl)) return
    prolong(this, engine, key, lastSlidingTtl)
  }

  /**
   * Reads as {@link Store.read} does, but leaves the near-cache as it is, and does not count as a use: for walks over
   * many keys.
   */
  readPassing(key: Key): V | undefined {
    return this.#read(this.open(), key, undefined, PASSING)
  }

  /**
   * Returns the entry of `key` in one instant; undefined if there is none. Leaves the near-cache as it is, and is not
   * counted as a read: for writes that depend on the entry.
   */
  entry(key: Key): StoredEntry<V> | undefined {
    const hit = this.#near?.hit(key)
    if (hit !== undefined) return nearEntry(hit)
    const value = this.#read(this.open(), key, undefined)
    return this.found ? this.lastEntry(value as V) : undefined
  }

  /** Is {@link Store.entry} for walks over many keys: see {@link Store.readPassing}. */
  entryPassing(key: Key): StoredEntry<V> | undefined {
    const value = this.readPassing(key)
    return this.found ? this.lastEntry(value as V) : undefined
  }

  /**
   * Stores a value, as `Engine.put` does. In a store that is observed, every call of a user that stores a value without
   * looking at the one that is there comes through here.
   */
  put(
    engine: Engine,
    key: Key,
    value: Staged,
    mode: number,
    version: number | undefined,
    expiresAt: number,
    staleUntil: number,
    labels: Labels | undefined,
  ): unknown {
    value.stage(engine)
    giveLabels(engine, labels)
    return engine.put(key, value.kind, value.operand, mode, version, expiresAt, staleUntil)
  }

  /** Runs a function of a user that makes the value of `key`, so that an observer can measure it. */
  timed<T>(_key: Key, run: () => T): T {
    return run()
  }

  /** Whether the last read found an entry. */
  get found(): boolean {
    return this.open().result[RESULT_STATUS] !== ABSENT
  }

  /** Version of the entry that the last read found or the last write wrote. */
  get version(): number {
    const { result } = this.open()
    return (result[RESULT_VERSION_LOW] >>> 0) + result[RESULT_VERSION_HIGH] * 2 ** 32
  }

  /** Returns the time by which entries expire; throws ERR_MAPSAFE_CLOSED after {@link Store.close}. */
  now(): number {
    return (this.#clock ?? this.open()).now()
  }

  /** The clock of a cache; throws ERR_MAPSAFE_CLOSED after {@link Store.close}. */
  get clock(): Clock {
    this.open()
    return this.#clock!
  }

  /** When the entry that the last read found expires; undefined if it does not. */
  get expiresAt(): number | undefined {
    const expiresAt = this.#resultDoubles[RESULT_EXPIRES_AT]
    return expiresAt === NEVER || expiresAt === Infinity ? undefined : expiresAt
  }

  /** Milliseconds that the entry found lives from its last read or write on; 0 if there is none, or reads do not renew it. */
  get lastSlidingTtl(): number {
    const slides = this.#resultDoubles[RESULT_STALE_UNTIL] < 0 && this.found && this.expiresAt !== undefined
    return slides ? -this.#resultDoubles[RESULT_STALE_UNTIL] : 0
  }

  /** The labels of the entry that the last read found; undefined if it has none. */
  get lastLabels(): Labels | undefined {
    const { result } = this.open()
    const count = result[RESULT_FOUND_LABELS]
    if (count === 0) return undefined
    const end = RESULT_OF_FOUND_LABELS + count * LABEL_WORDS
    return Array.from(result.subarray(RESULT_OF_FOUND_LABELS, end), (word, i) =>
      i % LABEL_WORDS === 0 ? word >>> 0 : word,
    )
  }

  /** Whether there may be entries that reads renew. */
  get mayRenew(): boolean {
    return this.#isCache && Atomics.load(this.open().words, HEADER_SLIDES) !== 0
  }

  /** Until when loads may return the entry that the last `getForLoad` found, if it has expired; else undefined. */
  get staleUntil(): number | undefined {
    const { expiresAt } = this
    return expiresAt !== undefined && expiresAt <= this.now() ? this.#resultDoubles[RESULT_STALE_UNTIL] : undefined
  }

  /** Whether entries of this map may expire. */
  get mayExpire(): boolean {
    return this.#isCache
  }

  /** Encodes `value`: see {@link ValueCodecs.encode}. */
  encode(value: unknown): ValueEncoder {
    return this.#codecs.encode(value)
  }

  /** Decodes a value whose kind and bytes an engine returned: the first `length` of `bytes`. */
  decode(kind: number, bytes: Uint8Array, length: number): V {
    return this.#codecs.decode(kind, bytes, length) as V
  }

  /** Decodes as {@link Store.decode} does, but all of `bytes`, and any value kind of the region format. */
  decodeAny(kind: number, bytes: Buffer): V {
    return this.#codecs.decodeAny(kind, bytes) as V
  }

  /** Sees to it that all values that are in the map now can also be decoded once it is closed. */
  learnShapes(): void {
    this.#codecs.learn()
  }

  /** Whether the object that was decoded last is immutable. */
  get isImmutable(): boolean {
    return this.#codecs.immutable
  }

  /** Returns what a reader gets for `value`, which was encoded last. */
  decodeEncoded(encoder: ValueEncoder, value: unknown): V {
    return this.#codecs.decodeEncoded(encoder, value) as V
  }

  /**
   * Holds the key and returns its entry, undefined if there is none. No other thread can write the key until
   * `writeHeld`, `removeHeld` or {@link Store.letGo}. Meanwhile this thread may only read the map.
   */
  hold(key: Key): StoredEntry<V> | undefined {
    const value = this.#read(this.openToWrite(), key, undefined, HOLDING)
    return this.found ? this.lastEntry(value as V) : undefined
  }

  /** Lets go of the key held, if there is one. */
  letGo(): void {
    this.#engine?.letGo()
  }

  /**
   * Returns when entries that are about to be stored expire. Called before the write, while this thread holds nothing,
   * because the sweeper may have its turn.
   *
   * @param lifetime undefined leaves it to the map
   */
  announceExpiry(lifetime: Lifetime | undefined, writes = 1): number {
    const expiresAt = this.endOf(lifetime)
    if (expiresAt !== NEVER) this.#sweeper?.noteWrites(writes)
    return expiresAt
  }

  /** Returns when an entry stored now expires. @param lifetime as for {@link Store.announceExpiry} */
  endOf(lifetime: Lifetime | undefined): number {
    const span = spanOf(lifetime) ?? (this.ttl === Infinity ? NEVER : -this.ttl)
    const end = typeof span === 'number' ? span : span.expiresAt
    return end < 0 ? this.now() - end : end
  }

  /**
   * Returns what `staleUntil` of Engine.put says of an entry that is about to be stored: whether, and by how much, reads
   * renew it. @param lifetime as for {@link Store.announceExpiry}
   */
  slideOf(lifetime: Lifetime | undefined): number {
    const span = spanOf(lifetime)
    const slidingTtl = span === undefined ? this.slidingTtl : typeof span === 'number' ? 0 : span.slidingTtl
    if (slidingTtl === 0) return NEVER
    const { words } = this.open()
    if (Atomics.load(words, HEADER_SLIDES) === 0) Atomics.store(words, HEADER_SLIDES, 1)
    return -slidingTtl
  }

  #countNear(hit: NearEntry): void {
    if (hit.present) this.reads.nearFound++
    else this.reads.nearAbsent++
  }

  /** Returns an entry of `value`, with the version and expiry that the last call of the engine left. */
  lastEntry<T>(value: T): StoredEntry<T> {
    const { version, expiresAt = NEVER, lastSlidingTtl: slidingTtl, lastLabels: labels } = this
    return { value, version, expiresAt, slidingTtl, labels }
  }

  #read(engine: Engine, key: Key, known: NearEntry | undefined, way: Way = USING): V | undefined {
    let value: unknown
    do {
      if (way === PASSING) value = engine.getPassing(key)
      else if (way === HOLDING) value = engine.hold(key)
      else if (known === undefined || known.entryVersion === 0) value = engine.get(key)
      else value = engine.getIfChanged(key, known.entryVersion)
    } while (lackedRoom(engine))
    switch (engine.result[RESULT_STATUS]) {
      case FOUND:
        return value as V
      case UNCHANGED:
        engine.result[RESULT_LENGTH] = 0 // the value was small enough to be kept
        return known?.value as V
      case ENCODED:
        return this.#decodeRead(engine, key)
      case ABSENT:
        return undefined
      default:
        throw engineError(engine, key)
    }
  }

  #decodeRead(engine: Engine, key: Key): V {
    const value = this.decodeScratch(engine)
    this.#changed?.read(key, this.version, value, engine.result[RESULT_LENGTH] >>> 0)
    return value
  }

  /** Decodes the value whose bytes the last call left in the scratch buffer. */
  decodeScratch(engine: Engine): V {
    const { result, scratch } = engine
    return this.decode(result[RESULT_KIND], scratch, result[RESULT_LENGTH] >>> 0)
  }
}

/** Returns what a near hit tells of the entry. */
export function nearEntry<V>(hit: NearEntry): StoredEntry<V> | undefined {
  return hit.present
    ? {
        value: hit.value as V,
        version: hit.entryVersion,
        expiresAt: hit.expiresAt ?? NEVER,
        slidingTtl: hit.slidingTtl,
        labels: hit.labels,
      }
    : undefined
}
