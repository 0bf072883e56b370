import type { Key } from '../../format/key.js'
import { monotonic } from '../../platform/system-clock.js'
import { catchStackOfRead } from '../stack.js'
import type { Loss } from '../channels.js'
import { identityOf, Notes, type Note } from './notes.js'
import type { ResolvedLostUpdates } from './options.js'
import { Origins } from './origins.js'
import { Sight, type Found } from './sight.js'

/** How a blind write ended. */
export interface Overwriting {
  /** What {@link LostUpdateProbe.expected} returned before the write. */
  readonly note: Note | undefined
  /** What {@link LostUpdateProbe.originOf} returned before the write. */
  readonly origin: Note | undefined
  /** The value replaced, and its version, where it was not the version of the note. */
  readonly replaced?: { readonly found: Found | undefined; readonly version: number } | undefined
  /** The version written. */
  readonly written: number
}

/** A loss, and the note of the read that it contradicts. */
export interface LossFound {
  readonly lost: Loss
  readonly note: Note
  readonly foundVersion: number
}

/**
 * Knows what one map object has read, and finds the writes that overwrite something else unseen. It sees the reads and
 * writes of one map object alone: those of every other map object, in this thread or another, are writes of others.
 *
 * Thread safety: one thread.
 */
export class LostUpdateProbe {
  readonly #notes: Notes
  readonly #origins = new Origins()
  /** The value that was encoded last, and its encoder. */
  #offered: { readonly encoder: object; readonly value: unknown } | undefined

  /** @param isCache whether entries may go by themselves, so that a key that became absent tells nothing */
  constructor(
    readonly options: ResolvedLostUpdates,
    readonly isCache: boolean,
  ) {
    this.#notes = new Notes(options.notes)
  }

  /** Number of keys that it has notes of. */
  get size(): number {
    return this.#notes.size
  }

  /**
   * Notes that a call returned `value`.
   *
   * @param version version of the entry; 0 if there was none
   * @param bytes bytes of the value, if the caller may change it
   */
  read(key: Key, version: number, value: unknown, bytes?: Uint8Array): void {
    const identity = identityOf(key)
    let note = this.#notes.get(identity)
    if (version === 0 && this.isCache) {
      // A miss, after which a cache is filled. Nobody deleted the entry, as far as can be told.
      if (note !== undefined) this.#notes.forget(identity)
      return
    }
    if (note !== undefined && note.version !== version) note = this.#follow(note, version, value, bytes)
    note ??= { identity, version, isArmed: false, isSuperseded: false, sight: undefined, time: 0, stack: undefined }
    if (note.version !== version || note.sight?.holds(value) !== true) note.sight = new Sight({ value, bytes })
    note.version = version
    note.isArmed = true
    note.time = monotonic()
    note.stack = this.options.stacks ? catchStackOfRead() : undefined
    this.#notes.keep(note)
    this.#origins.note(value, note)
  }

  /** Notes the value that `encoder` has encoded. */
  offered(encoder: object, value: unknown): void {
    this.#offered = { encoder, value }
  }

  /** Forgets a key, after a write of this map object that is not blind: it depends on what is there, or tells it. */
  wrote(key: Key): void {
    this.#notes.forget(identityOf(key))
  }

  /** Forgets all keys. */
  forgetAll(): void {
    this.#notes.clear()
  }

  /** Returns the note of `key`. If it is armed, its read is recent, and a blind write should find its version. */
  expected(key: Key): Note | undefined {
    const note = this.#notes.get(identityOf(key))
    if (note?.isArmed === true && monotonic() - note.time > this.options.windowMs) note.isArmed = false
    return note
  }

  /** Returns the superseded note whose value the value of `encoder` was made of. */
  originOf(key: Key, encoder: object): Note | undefined {
    const offered = this.#offered
    this.#offered = undefined
    if (offered?.encoder !== encoder) return undefined
    const note = this.#origins.of(offered.value, identityOf(key))
    return note?.isSuperseded === true ? note : undefined
  }

  /** Notes a blind write. @returns what it lost, if anything */
  overwrote({ note, origin, replaced, written }: Overwriting): LossFound | undefined {
    const loss = this.#lossOf(note, replaced) ?? this.#staleness(note, origin)
    if (note !== undefined) {
      note.version = written
      note.isArmed = false
      note.sight = undefined
      this.#notes.keep(note)
    }
    return loss
  }

  /** Another map object wrote the key between two reads. @returns the note of the values that are read from now on */
  #follow(note: Note, version: number, value: unknown, bytes: Uint8Array | undefined): Note | undefined {
    const isPresent = version !== 0 && note.version !== 0
    const isSame = isPresent ? note.sight?.isSame({ value: () => value, bytes }) : false
    if (isSame === true) return note
    // An entry of a cache may have a new version because another thread touched it. If that cannot be told, nothing is.
    if (isSame === false || !this.isCache) note.isSuperseded = true
    return undefined
  }

  #lossOf(note: Note | undefined, replaced: Overwriting['replaced']): LossFound | undefined {
    if (note === undefined || replaced === undefined) return undefined
    const { found, version } = replaced
    const loss = (lost: Loss): LossFound => ({ lost, note: { ...note }, foundVersion: version })
    if (found === undefined) return this.isCache || note.version === 0 ? undefined : loss('delete')
    if (note.version === 0) return loss('insert')
    const isSame = note.sight?.isSame(found)
    return isSame === true || (isSame === undefined && this.isCache) ? undefined : loss('update')
  }

  #staleness(note: Note | undefined, origin: Note | undefined): LossFound | undefined {
    if (origin === undefined) return undefined
    return { lost: 'stale', note: origin, foundVersion: note?.version ?? 0 }
  }
}
