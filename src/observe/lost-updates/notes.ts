import type { Key } from '../../format/key.js'
import { Buffer } from '../../platform/buffer.js'
import type { CaughtStack } from '../stack.js'
import type { Sight } from './sight.js'

/**
 * What one map object knows of one key: the last version that it read, or wrote in the place of one that it had read.
 * All values that it read between two writes of others belong to one note.
 */
export interface Note {
  readonly identity: Identity
  /** The version; 0 if the key was absent. */
  version: number
  /** Whether it was read, and not written since. */
  isArmed: boolean
  /** Whether this map object has since read what another one wrote. */
  isSuperseded: boolean
  /** What the last read saw; undefined after a write of this map object. */
  sight: Sight | undefined
  /** When, and by which call, it was last read. */
  time: number
  stack: CaughtStack | undefined
}

/** A key in a form that `Map` compares by content, beside whether it stands for a `Uint8Array`. */
export interface Identity {
  readonly key: unknown
  readonly isBytes: boolean
}

/** Notes of a bounded number of keys: the ones noted last. All methods take O(1), or O(length) of a `Uint8Array`. */
export class Notes {
  readonly #ofKeys = new Map<unknown, Note>()
  readonly #ofBytes = new Map<unknown, Note>()

  /** @param most the greatest number of notes, of `Uint8Array` keys and of other keys each */
  constructor(private readonly most: number) {}

  /** Number of notes. */
  get size(): number {
    return this.#ofKeys.size + this.#ofBytes.size
  }

  get(identity: Identity): Note | undefined {
    return this.#among(identity).get(identity.key)
  }

  /** Keeps a note as the latest, and forgets the oldest one if there are too many. */
  keep(note: Note): void {
    const notes = this.#among(note.identity)
    const { key } = note.identity
    notes.delete(key)
    notes.set(key, note)
    if (notes.size <= this.most) return
    const [oldest] = notes.keys()
    notes.delete(oldest)
  }

  forget(identity: Identity): void {
    this.#among(identity).delete(identity.key)
  }

  clear(): void {
    this.#ofKeys.clear()
    this.#ofBytes.clear()
  }

  #among({ isBytes }: Identity): Map<unknown, Note> {
    return isBytes ? this.#ofBytes : this.#ofKeys
  }
}

export function identityOf(key: Key): Identity {
  return typeof key === 'object'
    ? { key: Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1'), isBytes: true }
    : { key, isBytes: false }
}
