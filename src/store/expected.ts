import { isDeepStrictEqual } from '../platform/equality.js'
import type { Store } from './store.js'

/**
 * The value that a caller expects a key to hold, in the form in which it would be stored: a map never returns an
 * instance of a class, or a `Buffer`, so that no value read would equal one.
 */
export class Expected<V> {
  private readonly value: unknown

  /** @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` for a value that no map can hold */
  constructor(
    private readonly store: Store<V>,
    given: unknown,
  ) {
    const encoder = store.encode(given)
    try {
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

  /** Names that are met for the first time stay in the bytes, so that both are encoded anew, until nothing is new. */
  private hasBytesOf(value: object): boolean {
    for (let sighting = 0; sighting < 3; sighting++) {
      const [one, two] = [this.bytesOf(value), this.bytesOf(this.value)]
      if (
        one.kind === two.kind &&
        one.bytes.length === two.bytes.length &&
        one.bytes.every((b, i) => b === two.bytes[i])
      )
        return true
    }
    return false
  }

  private bytesOf(value: unknown): { readonly kind: number; readonly bytes: Uint8Array } {
    const encoder = this.store.encode(value)
    try {
      const bytes = new Uint8Array(encoder.byteLength)
      encoder.copyTo(bytes, 0)
      return { kind: encoder.kind, bytes }
    } finally {
      encoder.release()
    }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
