import type { Key } from '../format/key.js'
import type { ValueEncoder } from '../codec/value.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FOUND,
  NOT_DONE,
  PUT_IF_ABSENT,
  PUT_IF_VERSION,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_STATUS,
  UNCHANGED,
  type Engine,
} from '../engine/engine.js'
import { makeRoom } from '../codec/scratch.js'
import { engineError } from '../engine/engine-error.js'
import { VALUE_LAPSED_LEASE, VALUE_LATIN1, VALUE_LEASE, VALUE_NUMBER, VALUE_UTF16 } from '../format/layout.js'
import { lackedRoom } from '../store/room.js'
import type { Store } from '../store/store.js'
import { remove } from '../store/writes.js'
import { giveLabels } from '../store/give-labels.js'
import { areInvalidated, type Labels } from '../format/labels.js'
import { leaseBytes, readLease, writeLease, type Content, type Lease, type Stale } from './lease.js'
import { Buffer } from '../platform/buffer.js'

/** The state of a key: a value, a lease, or nothing. */
export type Sight<V> =
  | { readonly is: 'value'; readonly value: V; readonly version: number; readonly expiresAt: number | undefined }
  | {
      readonly is: 'stale'
      readonly value: V
      readonly version: number
      readonly expiredAt: number
      readonly until: number
      readonly labels: Labels | undefined
    }
  | {
      readonly is: 'lease'
      readonly lease: Lease
      readonly isLapsed: boolean
      readonly version: number
      readonly labels: Labels | undefined
    }
  | { readonly is: 'nothing' }

/**
 * Milliseconds for which a lease stays after all times in it have passed. A call that still waits for it looks long
 * before that.
 */
const KEEP = 10_000

const NOTHING = { is: 'nothing' } as const

/**
 * One thread's access to the leases of a cache: entries under the user's own keys. See docs/internals/protocol.md,
 * "Loads".
 *
 * Every method throws the errors of engine operations.
 */
export class Leases<V> {
  constructor(private readonly store: Store<V>) {}

  look(key: Key): Sight<V> {
    const engine = this.store.open()
    let value: unknown
    do value = engine.getForLoad(key)
    while (lackedRoom(engine))
    switch (engine.result[RESULT_STATUS]) {
      case FOUND:
        return this.sightOf(value as V)
      case ENCODED:
        return this.decode(engine)
      case ABSENT:
        return NOTHING
      default:
        throw engineError(engine, key)
    }
  }

  /** Returns whether the entry of `key` still has `version`. Cheaper than {@link Leases.look}. */
  isUnchanged(key: Key, version: number): boolean {
    const engine = this.store.open()
    engine.getIfChanged(key, version)
    const status = engine.result[RESULT_STATUS]
    // A value too large for the scratch buffer counts as a change, too.
    if (status < 0) throw engineError(engine, key)
    return status === UNCHANGED
  }

  /**
   * Stores `lease` under `key`: in place of the entry with `version`, or, if `version` is undefined, only if there is
   * nothing, not even a lease.
   *
   * @param labels those of the value being loaded and of the expired one: if one of them is invalidated, the lease is over
   * @returns the new entry's version; undefined if it was not stored
   */
  leave(key: Key, lease: Lease, version: number | undefined, labels: Labels | undefined): number | undefined {
    const engine = this.store.openToWrite()
    const length = leaseBytes(lease)
    makeRoom(engine, length)
    writeLease(lease, engine.scratch)
    const mode = version === undefined ? PUT_IF_ABSENT : PUT_IF_VERSION
    const expiresAt =
      Math.max(this.store.now(), lease.load?.until ?? 0, lease.outcome?.until ?? 0, lease.stale?.until ?? 0) + KEEP
    giveLabels(engine, labels)
    engine.put(key, VALUE_LEASE, length, mode, version, expiresAt)
    const status = engine.result[RESULT_STATUS]
    if (status === DONE) return this.store.version
    if (status === NOT_DONE) return undefined
    throw engineError(engine, key)
  }

  /** Returns whether an expired value, found before, has been invalidated since. */
  isInvalidated({ labels }: Stale): boolean {
    return labels !== undefined && areInvalidated(this.store.open().words, labels)
  }

  /** Takes the entry with `version` away. @returns whether it was still there */
  remove(key: Key, version: number): boolean {
    return remove(this.store, key, PUT_IF_VERSION, version)
  }

  /** @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` for a value that no map can hold */
  encode(value: unknown): Content {
    const encoder = this.store.encode(value)
    try {
      return contentOf(encoder)
    } finally {
      encoder.release()
    }
  }

  /**
   * Returns what gives each of some readers a value: a copy of its own if it can be changed.
   * @param value the value that this thread decoded last
   */
  copiesOf(value: V, readers: number): () => V {
    const isImmutable = typeof value !== 'object' || value === null || this.store.isImmutable
    if (readers <= 1 || isImmutable) return () => value
    const content = this.encode(value)
    return () => this.decodeContent(content) as V
  }

  decodeContent({ kind, bytes }: Content): unknown {
    return this.store.decodeAny(kind, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  }

  /** @param value the value just read */
  private sightOf(value: V): Sight<V> {
    const { expiresAt, staleUntil, version } = this.store
    if (staleUntil === undefined) return { is: 'value', value, version, expiresAt }
    return { is: 'stale', value, version, expiredAt: expiresAt!, until: staleUntil, labels: this.store.lastLabels }
  }

  private decode(engine: Engine): Sight<V> {
    const kind = engine.result[RESULT_KIND]
    const length = engine.result[RESULT_LENGTH] >>> 0
    if (kind !== VALUE_LEASE && kind !== VALUE_LAPSED_LEASE) {
      return this.sightOf(this.store.decode(kind, engine.scratch, length))
    }
    const { version, lastLabels: labels } = this.store
    const read = readLease(engine.scratch, length)
    const lease = read.stale === undefined ? read : { ...read, stale: { ...read.stale, labels } }
    return { is: 'lease', lease, isLapsed: kind === VALUE_LAPSED_LEASE, version, labels }
  }
}

/**
 * Returns the kind and the bytes that an entry of the value holds. Strings and numbers need this here: engines write
 * those of entries.
 */
function contentOf(encoder: ValueEncoder): Content {
  const { kind, operand } = encoder
  if (kind === VALUE_NUMBER) {
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(operand as number)
    return { kind, bytes }
  }
  if (kind === VALUE_LATIN1) {
    const text = operand as string
    const bytes = Buffer.from(text, 'latin1')
    return bytes.toString('latin1') === text
      ? { kind, bytes }
      : { kind: VALUE_UTF16, bytes: Buffer.from(text, 'utf16le') }
  }
  const bytes = new Uint8Array(encoder.byteLength)
  encoder.copyTo(bytes, 0)
  return { kind, bytes }
}
