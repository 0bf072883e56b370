/**
 * The interface of a codec: a way to turn values of some kinds into bytes and back. The registry (registry.ts) lists
 * all codecs.
 */
import type { Original } from './original.js'
import type { ShapeTable } from './shape-table.js'

/** The context that codecs are made for: one thread's way to one map, or values that belong to no map. */
export interface CodecContext {
  /** Whether decoded objects are frozen, at every depth. */
  readonly freeze: boolean
  /**
   * Returns the map's table of shapes; undefined without a map, or once this thread has closed it. Call it for each use:
   * a codec that kept the table would keep the memory of a closed map, while a snapshot goes on decoding.
   */
  shapes(): ShapeTable | undefined
}

/** Takes the result of an encoding from a codec. */
export interface Encoded {
  /** Takes a value of a kind that engines write themselves, as it is. */
  pass(kind: number, value: unknown): void
  /**
   * Takes a value of any other kind: `length` bytes from `start` on, which stay unchanged until the next value is
   * encoded.
   */
  passBytes(kind: number, bytes: Uint8Array, start: number, length: number): void
}

/** Thread safety: one thread. */
export interface Codec {
  /**
   * Whether the value decoded last is immutable, so that all readers of this thread may share it: then the near-cache
   * keeps it.
   */
  readonly immutable: boolean

  /**
   * The dates in the value decoded last, if they are all in it that can be changed: then the near-cache keeps it, too, and
   * compares them at each hit. Undefined for any other value.
   */
  readonly dates?: readonly Date[] | undefined

  /**
   * Encodes a value, or leaves it to the codecs after this one. O(size of the value).
   *
   * User code may run in getters, and may encode other values with this very codec before the call returns. State that
   * must survive that belongs into `original`.
   *
   * @returns whether the codec took the value
   * @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` if no map can hold it; any error of a getter in it
   */
  encode(original: Original, into: Encoded): boolean

  /**
   * Decodes the first `length` bytes. O(length), in memory too.
   *
   * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if they are not an encoding of a value of that kind
   */
  decode(kind: number, bytes: Uint8Array, length: number): unknown

  /** Reads all of the map that it needs to decode values of now, so that it can also when the map is closed. */
  learn?(): void

  /** Lets go of the value it encoded last, which may be large. */
  release?(): void
}

/** The results of `typeof` for values that may be stored. */
export type ValueType = 'undefined' | 'boolean' | 'number' | 'string' | 'bigint' | 'object'

/** A row of the registry. */
export interface CodecRow {
  /** The value kinds of the region format that the codec writes and reads. Each kind is in one row only. */
  readonly kinds: readonly number[]
  /** The types of the values that are offered to the codec, in the order of the rows. */
  readonly types: readonly ValueType[]
  open(context: CodecContext): Codec
}
