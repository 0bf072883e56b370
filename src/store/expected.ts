import { isDeepStrictEqual } from '../platform/equality.js'
import type { Store } from './store.js'

/**
 * The value that a caller expects a key to hold, in the form in which it would be stored: a map never returns an
 * instance of a class, or a `Buffer`, so that no value read would equal one.
 */
export class Expected<V> {
  private readonly kind: number
  /** The encoding of an object, and the value that a reader gets from it. */
  private readonly bytes: Uint8Array
  private readonly value: unknown

  /** @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` for a value that no map can hold */
  constructor(
    private readonly store: Store<V>,
    given: unknown,
  ) {
    const encoder = store.encode(given)
    try {
      this.kind = encoder.kind
      this.bytes = new Uint8Array(isObject(given) ? encoder.byteLength : 0)
      if (isObject(given)) encoder.copyTo(this.bytes, 0)
      this.value = store.decodeEncoded(encoder, given)
    } finally {
      encoder.release()
    }
  }

  /** Returns whether `value`, read from the map, is equal: by content if it is an object, else by `Object.is`. */
  equals(value: unknown): boolean {
    if (!isObject(value) || !isObject(this.value)) return Object.is(value, this.value)
    // Up to Node.js 20, isDeepStrictEqual finds an invalid Date unequal even to itself.
    return isDeepStrictEqual(value, this.value) || this.hasBytesOf(value)
  }

  private hasBytesOf(value: object): boolean {
    const encoder = this.store.encode(value)
    try {
      if (encoder.kind !== this.kind || encoder.byteLength !== this.bytes.length) return false
      const bytes = new Uint8Array(encoder.byteLength)
      encoder.copyTo(bytes, 0)
      return bytes.every((byte, i) => byte === this.bytes[i])
    } finally {
      encoder.release()
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
