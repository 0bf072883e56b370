import { areInvalidated, type Labels } from '../../format/labels.js'
import type { Key } from '../../format/key.js'
import { partitionOf } from '../../format/eviction-area.js'
import { heapBlock } from '../../format/geometry.js'
import { WEAKLY_ORDERED } from '../../format/region.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  BUCKET_EPOCH,
  ENTRY_COUNTER,
  ENTRY_HASH,
  ENTRY_META,
  ENTRY_NODE,
  HEADER_DEPARTURES,
  HEADER_STATE,
  NODE_BYTES,
  NODE_STAMP,
} from '../../format/layout.js'
import { keepDates, wereChanged } from './kept-dates.js'
import type { NearEntry } from './near-entry.js'
import { loadInOrder, renew } from './renewal.js'
import { renewalDue } from '../lifetime.js'

/**
 * A thread's decoded values of its hot keys, each vouched for by the version of its home bucket: a hit costs a lookup
 * in a JavaScript `Map` and two loads from shared memory, and is never stale.
 *
 * *Why a hit is current.* Every write that changes the result of a lookup makes the version of the key's home bucket
 * odd before the change and raises it to a new even number after (docs/internals/protocol.md). An entry is stored with
 * an even version only; so an equal version means that no write has begun since, and a read that returns the value
 * takes effect at its load of the version. The load of the epoch, which counts how often the version wrapped, follows
 * that of the version: an equal epoch then means that the version has not wrapped in between either, however old the
 * entry is.
 *
 * *Admission.* Remembering an entry for the first time costs more than a read that goes to the engine, and pays only if
 * the entry is read again before it is out of date. So a full near-cache takes a key in on the second read that meets
 * the same entry. The near-cache of a cache, full or not, takes an absent key in on the second read that finds nothing
 * in an unchanged bucket, since a caller that found nothing mostly inserts the key next. See
 * docs/decisions/2026-11-21-near-caches-wait-for-a-second-read.md.
 *
 * *Eviction.* New entries pass through a queue of one eighth of the capacity; entries that were hit on the way move to
 * the main ring, where a clock hand gives each entry hit since its last round another round. A scan over many keys
 * therefore displaces one eighth. After Yang et al., "FIFO queues are all you need for cache eviction" (SOSP 2023),
 * sections 4.1 and 4.2, without the ghost queue; a hit writes at most one flag.
 *
 * Thread safety: one thread.
 */
export class NearCache {
  /** Entries by key. `Uint8Array` keys are left out: a `Map` compares them by identity. */
  private readonly entries = new Map<Key, NearEntry>()
  private readonly queue: Ring
  private readonly main: Ring
  /**
   * The outdated entry that the last call of {@link NearCache.hit} found. Kept because a lookup in a `Map` of thousands
   * is not cheap.
   */
  outdated: NearEntry | undefined
  /** Marks of entries that were read while they were not here, each at the place that it hashes to. */
  private readonly met: Int32Array
  private readonly useClockAt: number
  /** The region's departures when the places that entries remember were last known to be there. */
  private departures: number
  private readonly heap: number

  /**
   * @param maxEntries capacity, at least 8
   * @param clock the clock by which entries expire
   * @param useClocks word indices of the use clocks of a cache's partitions; none in a map, which evicts nothing. The
   * first tells for all when to note a use again: keys are distributed by hash, so that the clocks run alike
   */
  constructor(
    private readonly words: Int32Array,
    maxEntries: number,
    private readonly clock: { hasPassed(expiresAt: number): boolean; distrust(): void },
    private readonly useClocks: readonly number[] = [],
  ) {
    this.useClockAt = useClocks[0] ?? 0
    this.departures = words[HEADER_DEPARTURES]
    this.heap = heapBlock(words.byteLength)
    const queued = Math.floor(maxEntries / 8)
    this.queue = new Ring(queued)
    this.main = new Ring(maxEntries - queued)
    this.met = new Int32Array(2 ** Math.ceil(Math.log2(2 * maxEntries)))
  }

  /** Number of entries held, current or not. */
  get size(): number {
    return this.entries.size
  }

  /**
   * Returns the entry of `key` if it is still true, else undefined. It is no use of the entry for the eviction. O(1),
   * allocates nothing.
   */
  hit(key: Key): NearEntry | undefined {
    if (this.words[HEADER_DEPARTURES] !== this.departures) this.forgetPlaces()
    const entry = this.find(key)
    if (entry === undefined || !(this.isCurrent(entry) || renew(this.words, entry)) || this.hasExpired(entry)) {
      this.outdated = entry
      return undefined
    }
    if (!entry.used) entry.used = true
    return entry
  }

  /** Is {@link NearCache.hit} for reads, which in a cache are uses of the entry. */
  use(key: Key): NearEntry | undefined {
    const entry = this.hit(key)
    if (entry !== undefined && this.useClockAt !== 0 && this.words[this.useClockAt] !== entry.useClock) {
      this.noteUse(entry)
    }
    return entry
  }

  /**
   * Returns the entry of `key`, true or not: its value saves decoding if the entry version is still the same. A value in
   * which a date was changed is dropped.
   */
  find(key: Key): NearEntry | undefined {
    const entry = this.entries.get(key)
    if (entry?.dates !== undefined && wereChanged(entry.dates)) this.drop(entry)
    return entry
  }

  /**
   * Remembers the outcome of a lookup, unless a write was under way or has begun since.
   *
   * @param entry the result of {@link NearCache.find}
   * @param home word index of the home bucket
   * @param version the home bucket's version at the lookup
   * @param at word index of the entry; 0, the default, if there is none
   * @param dates the dates in `value`, if it was decoded for this call
   */
  store(
    key: Key,
    entry: NearEntry | undefined,
    home: number,
    version: number,
    present: boolean,
    value: unknown,
    entryVersion: number,
    expiresAt?: number,
    at = 0,
    slidingTtl = 0,
    dates?: readonly Date[],
    labels?: Labels,
  ): void {
    if ((version & 1) !== 0) return
    if (this.words[HEADER_DEPARTURES] !== this.departures) {
      this.forgetPlaces() // and home may be one of them
      return
    }
    if (entry === undefined && !this.admits(home, version, present, entryVersion)) return
    const epoch = this.words[home + BUCKET_EPOCH]
    const hash = at === 0 ? 0 : loadInOrder(this.words, at + ENTRY_HASH)
    const node = at === 0 ? 0 : loadInOrder(this.words, at + ENTRY_NODE) >>> 0
    const isFixed = at !== 0 && (loadInOrder(this.words, at + ENTRY_META) & ENTRY_COUNTER) === 0
    // Only now are they known to belong to the version.
    if (Atomics.load(this.words, home) !== version) return
    if (expiresAt !== undefined) this.clock.distrust()
    const useClock = this.words[this.useClockAt]
    const end = expiresAt === undefined || slidingTtl === 0 ? expiresAt : renewalDue(expiresAt, slidingTtl)
    const until = end === undefined && labels !== undefined ? Infinity : end
    if (entry === undefined) {
      this.insert(key, {
        home,
        version,
        epoch,
        used: false,
        value,
        present,
        entryVersion,
        until,
        expiresAt,
        slidingTtl,
        labels,
        useClock,
        at: isFixed ? at : 0,
        hash,
        node,
        dates: keepDates(dates),
      })
    } else {
      entry.home = home
      entry.version = version
      entry.epoch = epoch
      entry.present = present
      if (entry.value !== value) {
        entry.value = value
        entry.dates = keepDates(dates)
      }
      entry.entryVersion = entryVersion
      entry.until = until
      entry.expiresAt = expiresAt
      entry.slidingTtl = slidingTtl
      entry.labels = labels
      entry.useClock = useClock
      entry.at = isFixed ? at : 0
      entry.hash = hash
      entry.node = node
      entry.used = true
    }
  }

  /** Lets go of a value that is out of date and has no successor worth keeping. */
  drop(entry: NearEntry): void {
    entry.value = undefined
    entry.dates = undefined
    entry.entryVersion = 0
    // -Infinity has long expired, so it is never a hit. No version could mark that, since a word of the region can hold
    // any number.
    entry.until = -Infinity
  }

  /**
   * Forgets where entries lie, but not their values, since a segment or node may have left. Its memory is not used again
   * before this thread's next call of the engine, which comes after this.
   */
  private forgetPlaces(): void {
    this.departures = this.words[HEADER_DEPARTURES]
    for (const entry of this.entries.values()) {
      // A word that is never 0: it vouches for nothing.
      entry.home = HEADER_STATE
      entry.version = 0
      entry.at = 0
      entry.node = 0
    }
  }

  private isCurrent(entry: NearEntry): boolean {
    const words = this.words
    // A plain load is enough where the processor orders plain loads as acquires: V8 calls Atomics.load as a function,
    // which would take a quarter of the hit's time. See docs/decisions/2026-11-20-near-hits-load-plainly.md.
    const version = WEAKLY_ORDERED ? Atomics.load(words, entry.home) : words[entry.home]
    // The order of these loads matters: see "Why a hit is current".
    return version === entry.version && words[entry.home + BUCKET_EPOCH] === entry.epoch
  }

  private hasExpired(entry: NearEntry): boolean {
    if (entry.until === undefined) return false
    return this.clock.hasPassed(entry.until) || (entry.labels !== undefined && areInvalidated(this.words, entry.labels))
  }

  /**
   * Tells the eviction of a use, as the engines do: at most one store for each key and tick of the use clock. The entry
   * was current a moment ago; should its node be another's by now, that one counts as used.
   */
  private noteUse(entry: NearEntry): void {
    const { words, useClocks } = this
    entry.useClock = words[this.useClockAt]
    const { node } = entry
    if (node < this.heap || (node + NODE_BYTES / BLOCK_BYTES) * BLOCK_WORDS > words.length) return
    Atomics.store(words, node * BLOCK_WORDS + NODE_STAMP, words[useClocks[partitionOf(entry.hash, useClocks.length)]])
  }

  /**
   * Returns whether a key that is not here may come in. The home bucket and the version, of the entry or, for an absent
   * key, of the bucket, identify the outcome of the read.
   */
  private admits(home: number, version: number, present: boolean, entryVersion: number): boolean {
    const isFleeting = !present && this.useClockAt !== 0
    if (!isFleeting && this.queue.peek() === undefined) return true
    const mark = Math.imul(home ^ Math.imul(present ? entryVersion : ~version, GOLDEN), GOLDEN)
    const place = (mark >>> 7) & (this.met.length - 1)
    const isKnown = this.met[place] === mark
    this.met[place] = mark
    return isKnown
  }

  private insert(key: Key, entry: NearEntry): void {
    this.entries.set(key, entry)
    const leaving = this.queue.push(key)
    if (leaving === undefined) return
    const left = this.entries.get(leaving)
    if (left?.used === true) {
      left.used = false
      this.promote(leaving)
    } else {
      this.entries.delete(leaving)
    }
  }

  private promote(key: Key): void {
    const main = this.main
    // The loop ends: each step clears a flag or finds one cleared.
    for (;;) {
      const oldest = main.peek()
      if (oldest === undefined) break
      const entry = this.entries.get(oldest)
      if (entry?.used !== true) {
        this.entries.delete(oldest)
        break
      }
      entry.used = false
      main.skip()
    }
    main.push(key)
  }
}

/** A factor that spreads numbers which differ in few bits. */
const GOLDEN = 0x9e3779b1

/** A fixed number of places that a hand goes round. */
class Ring {
  private readonly places: (Key | undefined)[]
  private hand = 0

  constructor(capacity: number) {
    this.places = new Array<Key | undefined>(capacity).fill(undefined)
  }

  /** Returns the key under the hand. */
  peek(): Key | undefined {
    return this.places[this.hand]
  }

  /** Puts `key` under the hand, moves on, and returns the key that was there. */
  push(key: Key): Key | undefined {
    const leaving = this.places[this.hand]
    this.places[this.hand] = key
    this.skip()
    return leaving
  }

  skip(): void {
    this.hand = this.hand + 1 === this.places.length ? 0 : this.hand + 1
  }
}
