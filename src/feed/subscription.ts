import { ownKey, type Key } from '../format/key.js'
import { bytesOf } from '../base/views.js'
import { Buffer } from '../platform/buffer.js'
import { INVALIDATED, type Cause } from './ring.js'

/** What happened to a key. */
export interface KeyChange<K> {
  /**
   * Why the key was told: a value was stored, or the entry is gone, because it was deleted, because its time had passed,
   * because a full cache needed its room, or because all entries were deleted.
   */
  readonly type: Cause
  /** Which key. */
  readonly key: K
  /**
   * The version of the entry that was stored, as `getEntry` returns it; where there is none any more, the version of its
   * removal. Grows along a key's life.
   */
  readonly version: number
}

/** Says that changes may have been missed: what matters should be read again. */
export interface MissedChanges {
  /** Tells it from a change of a key. */
  readonly type: 'missed'
}

/**
 * Says that `invalidateTags` took away all entries that had a tag. Their keys follow, each as expired, when the entries are
 * deleted: with writes, and in the background about a second later.
 */
export interface InvalidatedTag {
  /** Tells it from a change of a key. */
  readonly type: 'invalidated'
  /** The tag. */
  readonly tag: string
}

/** An item of the change feed. */
export type Change<K> = KeyChange<K> | InvalidatedTag | MissedChanges

const MISSED: MissedChanges = Object.freeze({ type: 'missed' })

/** Keys that wait for one reader; a reader that leaves more waiting has missed some. */
const MOST_WAITING = 16_384

/**
 * The changes that wait for one reader, the last one of each key, in the order of those. Bounded.
 *
 * Thread safety: one thread.
 */
export class Waiting<K extends Key> {
  readonly #changes = new Map<Key, KeyChange<K> | InvalidatedTag>()
  #hasMissed = false

  add(key: K, type: Cause, version: number): void {
    this.#put(idOf(key), { type, key: ownKey(key), version })
  }

  addTag(tag: string): void {
    this.#put(`\0t${tag}`, { type: INVALIDATED, tag })
  }

  #put(id: Key, change: KeyChange<K> | InvalidatedTag): void {
    this.#changes.delete(id)
    if (this.#changes.size >= MOST_WAITING) this.miss()
    else this.#changes.set(id, change)
  }

  /** Says that some were missed: whoever reads all again needs none of those that wait. */
  miss(): void {
    this.#changes.clear()
    this.#hasMissed = true
  }

  take(): Change<K> | undefined {
    if (this.#hasMissed) {
      this.#hasMissed = false
      return MISSED
    }
    for (const [id, change] of this.#changes) {
      this.#changes.delete(id)
      return change
    }
    return undefined
  }

  clear(): void {
    this.#changes.clear()
    this.#hasMissed = false
  }
}

/** Returns what a `Map` compares as keys are compared: bytes by content. */
function idOf(key: Key): Key {
  if (typeof key === 'string') return key.startsWith('\0') ? `\0s${key}` : key
  if (typeof key !== 'object') return key
  const { buffer, byteOffset, length } = bytesOf(key)
  return `\0b${Buffer.from(buffer, byteOffset, length).toString('latin1')}`
}

/** A reader of the change feed in this thread. */
export interface Subscription {
  /** The keys watched; undefined if {@link Subscription.prefix} chooses them. */
  readonly keys: readonly Key[] | undefined
  /** With which the keys watched begin; undefined for all keys. */
  readonly prefix: string | undefined
  readonly waiting: Waiting<Key>
  /** Called when something waits. */
  wake(): void
  /** Called when the map is closed. */
  end(): void
}
