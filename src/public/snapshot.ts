import type { Job } from '../base/slices.js'
import { decodeKey, type Key } from '../format/key.js'
import {
  keyKindOf,
  keyLengthOf,
  labelCountOf,
  labelsAt,
  NEVER,
  sizeOf,
  valueAt,
  valueKindOf,
  valueLengthOf,
  versionOf,
} from '../format/entry.js'
import { expiryIn, hasExpiredAt, isForFailures, staleUntilIn } from '../format/expiry.js'
import { labelIdOf } from '../format/label-ids.js'
import { ENTRY_COUNTER, ENTRY_DATA, ENTRY_META, LABEL_WORDS } from '../format/layout.js'
import { Region } from '../format/region.js'
import type { Store } from '../store/store.js'
import type { MapEntry } from './types.js'
import { refuseCloning } from '../base/thread-bound.js'
import type { Returned } from '../base/cloned.js'
import { Buffer } from '../platform/buffer.js'

const WORD_BYTES = 4
/** What structured clone says of a snapshot. */
const SEND_ENTRIES = Symbol(
  'A Snapshot belongs to the thread that made it: send the handle of its map, or its entries, [...snapshot]. It',
)

/** An entry with all that makes an equal one of it in another map. Times are milliseconds of the system's clock. */
export interface WholeEntry {
  readonly key: Key
  readonly value: unknown
  readonly isCounter: boolean
  readonly expiresAt: number | undefined
  readonly slidingTtl: number | undefined
  readonly staleUntil: number | undefined
  readonly staleOnError: boolean
  /** Ids of its labels (src/format/label-ids.ts). */
  readonly groups: readonly string[]
}

/** Returns the whole entries of a snapshot whose map this thread has still open. */
export let wholeEntriesOf: (snapshot: Snapshot<Key, unknown, boolean>) => Iterable<WholeEntry>

/**
 * The entries of a map as they were at one instant, unaffected by later changes of the map. It is a copy of its own: it
 * stays readable after the map is closed, and the garbage collector frees its memory when it is no longer referenced.
 * Keys and values are decoded anew in each walk, which takes O(length) for each, and throws as a read of the map would:
 * `ERR_MAPSAFE_FORMAT` for a value of a kind that only a later version knows, `ERR_MAPSAFE_CORRUPT` for damaged bytes.
 *
 * Thread safety: belongs to the thread that made it; several walks may go on at once.
 */
export class Snapshot<K extends Key, V, Freeze extends boolean = true> implements Iterable<[K, Returned<V, Freeze>]> {
  /**
   * Number of entries. Exact; entries that had expired are not in it. O(1).
   *
   * @contract a copy | 0 | no | none | | O(1)
   */
  readonly size: number
  readonly #instant: number
  /** How far the system's clock was ahead of the region's time then. */
  readonly #wallAhead: number
  readonly #pieces: readonly Int32Array<ArrayBuffer>[]
  readonly #store: Store<Returned<V, Freeze>>

  static {
    wholeEntriesOf = (snapshot) => {
      const region = new Region(snapshot.#store.open().words.buffer)
      return snapshot.#walk((entry) => entry.whole(snapshot.#store, region, snapshot.#wallAhead))
    }
  }

  /**
   * Called by {@link ConcurrentMap.snapshot} alone.
   *
   * @internal
   * @param pieces the result of `Engine.snapshot`
   * @param size number of entries in them that had not expired
   * @param instant the time, of the region's clock, that the entries show
   */
  constructor(
    store: Store<Returned<V, Freeze>>,
    pieces: readonly Int32Array<ArrayBuffer>[],
    size: number,
    instant: number,
  ) {
    this.#instant = instant
    // Kept as a number, since the map may be closed when it is needed.
    this.#wallAhead = store.mayExpire ? -store.clock.ofWall(0) : 0
    this.#pieces = pieces
    this.#store = store
    this.size = size
    refuseCloning(this, SEND_ENTRIES)
  }

  /**
   * Iterates over the keys, in no particular order, but each walk over the snapshot in the same one. Decodes no value.
   *
   * @contract a copy | nothing | no | none | | O(entries)
   */
  keys(): MapIterator<K> {
    return this.#walk((entry) => entry.key() as K)
  }

  /**
   * Iterates over the values, in the order of the keys.
   *
   * @contract a copy | nothing | no | none | | O(entries)
   */
  values(): MapIterator<Returned<V, Freeze>> {
    return this.#walk((entry) => entry.value(this.#store))
  }

  /**
   * Iterates over pairs of key and value, in the order of the keys.
   *
   * @contract a copy | nothing | no | none | | O(entries)
   */
  entries(): MapIterator<[K, Returned<V, Freeze>]> {
    return this.#walk((entry) => [entry.key() as K, entry.value(this.#store)])
  }

  /**
   * Iterates over pairs of key and entry, which has version and expiry beside the value, in the order of the keys. An
   * expiry is converted into the time of the system's clock by the state of that clock at the time of the snapshot.
   *
   * @contract a copy | nothing | no | none | | O(entries)
   */
  details(): MapIterator<[K, MapEntry<V, Freeze>]> {
    return this.#walk((entry) => [
      entry.key() as K,
      {
        value: entry.value(this.#store),
        version: entry.version,
        expiresAt: isForEver(entry.expiresAt) ? undefined : Math.floor(entry.expiresAt + this.#wallAhead),
      },
    ])
  }

  /** Iterates as {@link Snapshot.entries} does. */
  [Symbol.iterator](): MapIterator<[K, Returned<V, Freeze>]> {
    return this.#walk((entry) => [entry.key() as K, entry.value(this.#store)])
  }

  /** `'Snapshot'`. */
  // eslint-disable-next-line @typescript-eslint/class-literal-property-style -- on the prototype, as Map has it
  get [Symbol.toStringTag](): string {
    return 'Snapshot'
  }

  *#walk<T>(pick: (entry: CopiedEntry) => T): MapIterator<T> {
    for (const words of this.#pieces) {
      for (let at = 0; at < words.length;) {
        const entry = new CopiedEntry(words, at)
        at = entry.end
        if (!entry.isOutdated && !hasExpiredAt(entry.expiresAt, this.#instant)) yield pick(entry)
      }
    }
  }
}

/** Counts the entries that had not expired at `instant`, an entry a step. */
export function* countingPresent(pieces: readonly Int32Array<ArrayBuffer>[], instant: number): Job<number> {
  let count = 0
  for (const words of pieces) {
    for (let at = 0; at < words.length;) {
      const entry = new CopiedEntry(words, at)
      at = entry.end
      if (!entry.isOutdated && !hasExpiredAt(entry.expiresAt, instant)) count++
      yield 1
    }
  }
  return count
}

function isForEver(expiresAt: number): boolean {
  return expiresAt === NEVER || expiresAt === Infinity
}

/** An entry in the form of docs/internals/format.md, in memory that no other thread writes. */
class CopiedEntry {
  /** Index of the first word after the entry. */
  readonly end: number
  /** NEVER if it does not. */
  readonly expiresAt: number
  readonly version: number
  private readonly keyKind: number
  private readonly keyLength: number
  private readonly valueKind: number
  private readonly valueLength: number
  /** Where in `bytes` key and value begin. */
  private readonly keyStart: number
  private readonly valueStart: number
  private readonly bytes: Buffer

  constructor(
    private readonly words: Int32Array<ArrayBuffer>,
    private readonly at: number,
  ) {
    const meta = words[at + ENTRY_META]
    this.keyLength = keyLengthOf(meta)
    this.keyKind = keyKindOf(meta)
    this.valueKind = valueKindOf(meta)
    this.valueLength = valueLengthOf(words, at)
    this.keyStart = (at + ENTRY_DATA) * WORD_BYTES
    this.valueStart = valueAt(at, meta) * WORD_BYTES
    this.bytes = Buffer.from(words.buffer, words.byteOffset, words.byteLength)
    this.end = at + sizeOf(words, at) / WORD_BYTES
    this.expiresAt = expiryIn(words, at)
    this.version = versionOf(words, at)
  }

  /** Whether the engine also copied a newer state of the entry's bucket. */
  get isOutdated(): boolean {
    return this.keyKind === 0
  }

  key(): Key {
    return decodeKey(this.keyKind, this.bytes, this.keyStart, this.keyLength)
  }

  whole(store: Store<unknown>, region: Region, wallAhead: number): WholeEntry {
    const { words, at } = this
    const labels = labelsAt(words, at)
    const stale = staleUntilIn(words, at)
    const groups: string[] = []
    for (let i = 0; i < labelCountOf(words, at); i++) {
      const id = labelIdOf(region, words[labels + i * LABEL_WORDS] >>> 0)
      if (id !== undefined) groups.push(id)
    }
    return {
      key: this.key(),
      value: this.value(store),
      isCounter: (words[at + ENTRY_META] & ENTRY_COUNTER) !== 0,
      expiresAt: isForEver(this.expiresAt) ? undefined : Math.floor(this.expiresAt + wallAhead),
      slidingTtl: stale < 0 ? -stale : undefined,
      staleUntil: stale > 0 ? Math.floor(stale + wallAhead) : undefined,
      staleOnError: stale > 0 && isForFailures(stale),
      groups,
    }
  }

  value<V>(store: Store<V>): V {
    const { bytes, valueStart, valueLength } = this
    return store.decodeAny(this.valueKind, bytes.subarray(valueStart, valueStart + valueLength))
  }
}
