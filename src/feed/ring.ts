import { decodeKey, type Key } from '../format/key.js'
import { feedBytes, feedRing } from '../format/feed.js'
import { isKeyLength } from '../format/kinds.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CAUSE_CLEARED,
  CAUSE_DELETED,
  CAUSE_EVICTED,
  CAUSE_EXPIRED,
  CAUSE_INVALIDATED,
  CAUSE_SET,
  CHANGE_CAUSE_SHIFT,
  CHANGE_KEY,
  CHANGE_META,
  CHANGE_VERSION,
  HEADER_FEED_HEAD,
  HEADER_FEED_LAPS,
  HEADER_FEED_LOST,
  HEADER_FEED_RESERVED,
  KEY_LATIN1,
  KEY_UTF16,
  MAX_FEED_KEY_BYTES,
} from '../format/layout.js'
import { keyKindOf, keyLengthOf, wordsFor } from '../format/entry.js'
import { Region } from '../format/region.js'

/** Why a key was told. */
export type Cause = 'set' | 'deleted' | 'expired' | 'evicted' | 'cleared'

/** Says of a change that its key is the name of a label. */
export const INVALIDATED = 'invalidated'

/** A change as the ring has it. */
export interface Told {
  readonly type: Cause | typeof INVALIDATED
  readonly version: number
  /** Undefined if the key is too long for the ring. */
  readonly key: Key | undefined
  readonly kind: number
  readonly length: number
  /** Of a key that is too long, what the ring has of it: a string, or bytes. */
  readonly head: Key | undefined
}

const CAUSES: Readonly<Partial<Record<number, Told['type']>>> = {
  [CAUSE_SET]: 'set',
  [CAUSE_DELETED]: 'deleted',
  [CAUSE_EXPIRED]: 'expired',
  [CAUSE_EVICTED]: 'evicted',
  [CAUSE_CLEARED]: 'cleared',
  [CAUSE_INVALIDATED]: INVALIDATED,
}

const WORD = 2 ** 32

/**
 * Reads the ring of the change feed, from where it is when the reader is made. See docs/internals/protocol.md, "Change
 * feed".
 *
 * Thread safety: one thread.
 */
export class RingReader {
  readonly #words: Int32Array
  readonly #ring: number
  /** One less than the words of the ring. */
  readonly #mask: number
  readonly #blocks: number
  /** Blocks since the ring's beginning, laps included. */
  #position: number
  #lost: number
  readonly #keyWords = new Int32Array(MAX_FEED_KEY_BYTES / 4)
  readonly #keyBytes = new Uint8Array(this.#keyWords.buffer)

  constructor(words: Int32Array) {
    this.#words = words
    this.#ring = feedRing(new Region(words.buffer))
    this.#mask = feedBytes(words) / 4 - 1
    this.#blocks = feedBytes(words) / BLOCK_BYTES
    this.#lost = Atomics.load(words, HEADER_FEED_LOST)
    this.#position = this.#end()
  }

  /** Whether there is anything to read. */
  get hasMore(): boolean {
    const words = this.#words
    return (
      Atomics.load(words, HEADER_FEED_HEAD) >>> 0 !== this.#position % WORD ||
      Atomics.load(words, HEADER_FEED_LOST) !== this.#lost
    )
  }

  /**
   * Reads up to `most` changes.
   *
   * @returns undefined if some may have been missed; the next call goes on with what is told after this one
   */
  read(most: number): Told[] | undefined {
    const words = this.#words
    const lost = Atomics.load(words, HEADER_FEED_LOST)
    if (lost !== this.#lost) {
      this.#lost = lost
      return undefined
    }
    const available = ((Atomics.load(words, HEADER_FEED_HEAD) >>> 0) - (this.#position % WORD) + WORD) % WORD
    const all: Told[] = []
    let read = 0
    if (this.#ring !== 0 && available <= this.#blocks) {
      while (read < available && all.length < most) {
        const blocks = this.#readOne(this.#position + read, available - read, all)
        if (blocks === 0) break
        read += blocks
      }
    }
    // Looked at after the copy: what was overwritten meanwhile was reserved before.
    const reserved = Atomics.load(words, HEADER_FEED_RESERVED) >>> 0
    const distance = (Atomics.load(words, HEADER_FEED_LAPS) >>> 0) * WORD + reserved - this.#position
    if (distance < 0 || distance > this.#blocks || (read === 0 && available > 0)) {
      this.#position = this.#end()
      return undefined
    }
    this.#position += read
    return all
  }

  /** Reads the change at a position; returns its blocks, or 0 if no change can lie there. */
  #readOne(position: number, available: number, all: Told[]): number {
    const at = (position % this.#blocks) * BLOCK_WORDS
    const meta = this.#word(at + CHANGE_META)
    const length = keyLengthOf(meta)
    const kind = keyKindOf(meta)
    const type = CAUSES[meta >>> CHANGE_CAUSE_SHIFT]
    const keyWords = wordsFor(Math.min(length, MAX_FEED_KEY_BYTES))
    const blocks = Math.ceil((CHANGE_KEY + keyWords) / BLOCK_WORDS)
    if (type === undefined || blocks > available || !isKeyLength(kind, length)) return 0
    for (let i = 0; i < keyWords; i++) this.#keyWords[i] = this.#word(at + CHANGE_KEY + i)
    const version = (this.#word(at + CHANGE_VERSION) >>> 0) + (this.#word(at + CHANGE_VERSION + 1) >>> 0) * WORD
    const isWhole = length <= MAX_FEED_KEY_BYTES
    const key = isWhole ? decodeKey(kind, this.#keyBytes, 0, length) : undefined
    all.push({ type, version, key, kind, length, head: isWhole ? undefined : this.#head(kind) })
    return blocks
  }

  #head(kind: number): Key {
    const isText = kind === KEY_LATIN1 || kind === KEY_UTF16
    return isText ? decodeKey(kind, this.#keyBytes, 0, MAX_FEED_KEY_BYTES) : this.#keyBytes.slice()
  }

  #word(at: number): number {
    return Atomics.load(this.#words, this.#ring + (at & this.#mask))
  }

  /**
   * Returns the position of the last change's end. A wrap under way, or one in which a thread died, may make it a lap too
   * large; then {@link RingReader.read} finds the distance negative.
   */
  #end(): number {
    const words = this.#words
    const head = Atomics.load(words, HEADER_FEED_HEAD) >>> 0
    const reserved = Atomics.load(words, HEADER_FEED_RESERVED) >>> 0
    const laps = Atomics.load(words, HEADER_FEED_LAPS) >>> 0
    return laps * WORD + head - (head > reserved && laps > 0 ? WORD : 0)
  }
}
