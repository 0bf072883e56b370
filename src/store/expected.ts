import { isDeepStrictEqual } from '../platform/equality.js'
import type { Store } from './store.js'

/**
 * What a caller expects a key to hold, as it would be stored: a map gives no instance of a class back, and no `Buffer`,
 * so that nothing read would ever be equal to one.
 */
export class Expected<V> {
  private readonly kind: number
  /** Of an object: its encoding, and what a reader gets of it. */
  private readonly bytes: Uint8Array
  private readonly value: unknown

  /** @throws MapsafeTypeError `ERR_MAPSAFE_VALUE_TYPE` for what no map can hold */
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

  /** Whether `value`, read from the map, is equal: by content if it is an object, else as `Object.is` tells. */
  equals(value: unknown): boolean {
    if (!isObject(value) || !isObject(this.value)) return Object.is(value, this.value)
    // To isDeepStrictEqual an invalid Date is not even equal to itself, up to Node.js 20.
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
