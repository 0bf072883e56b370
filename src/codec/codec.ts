/** What a codec is: a way to turn values of some kinds into bytes and back. The registry (registry.ts) lists them all. */
import type { Original } from './original.js'

/** What codecs may see of a map's memory. An engine has it. */
export interface CodecRegion {
  readonly words: Int32Array
}

/** What codecs are made for: one thread's way to one map, or values that belong to no map. */
export interface CodecContext {
  /** Whether decoded objects are frozen, at every depth. */
  readonly freeze: boolean
  /**
   * The region of the map; undefined if there is none, or once this thread has closed the map. To be asked for each
   * use: a codec that keeps the region keeps the memory of a closed map, while a snapshot goes on decoding.
   */
  region(): CodecRegion | undefined
}

/** Where a codec leaves what it made of a value. */
export interface Encoded {
  /** For kinds that engines write themselves: passes the value on as it is. */
  pass(kind: number, value: unknown): void
  /** For all other kinds: `length` bytes from `start` on, which stay as they are until the next value is encoded. */
  passBytes(kind: number, bytes: Uint8Array, start: number, length: number): void
}

/** Thread safety: one thread. */
export interface Codec {
  /**
   * Whether nothing can change the value decoded last, so that all readers of this thread may share it: then the
   * near-cache keeps it.
   */
  readonly immutable: boolean

  /**
   * Encodes a value, or leaves it to the codecs after this one. O(size of the value).
   *
   * User code may run in getters, and may encode other values with this very codec before the call returns. What lasts
   * over that belongs to `original`.
   *
   * @returns whether the codec took the value
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if no map can hold it; whatever a getter in it throws
   */
  encode(original: Original, into: Encoded): boolean

  /**
   * Decodes the first `length` bytes. O(length), in memory too.
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are no encoding of a value of that kind
   */
  decode(kind: number, bytes: Uint8Array, length: number): unknown

  /** Lets go of what it encoded last, which may be large. */
  release?(): void
}

/** What `typeof` says of values that may be stored. */
export type ValueType = 'undefined' | 'boolean' | 'number' | 'string' | 'bigint' | 'object'

/** A row of the registry. */
export interface CodecRow {
  /** The value kinds of the region format that the codec writes and reads. No other row has them. */
  readonly kinds: readonly number[]
  /** The types of the values that it is offered, in the order of the rows. */
  readonly types: readonly ValueType[]
  open(context: CodecContext): Codec
}
