import { MapsafeError } from '../base/errors.js'
import { byteLengthOf, bytesOf, isOutOfReach, isUint8Array } from '../base/views.js'
import { bigintBytes, bigintDigits, readBigint, writeBigint } from './bigint.js'
import { KEY_BIGINT, KEY_BOOLEAN, KEY_BYTES, KEY_LATIN1, KEY_NUMBER, KEY_UTF16, MAX_KEY_BYTES } from './layout.js'
import { isKeyLength } from './kinds.js'
import { Buffer } from '../platform/buffer.js'

/**
 * The type of keys. Keys are compared like `Map` compares them (SameValueZero), except that a `Uint8Array` is compared
 * by content. A string never equals a number.
 */
export type Key = string | number | bigint | boolean | Uint8Array

/**
 * Returns a private copy of `key`: user code may change a `Uint8Array` while the library still uses it as a key. -0
 * becomes 0, as it is stored. A value that is no key is returned as it is; the engine refuses it.
 */
export function ownKey<K extends Key>(key: K): K {
  if (typeof key !== 'object') return key === 0 ? (0 as K) : key
  return isUint8Array(key) && !isOutOfReach(key) ? (new Uint8Array(bytesOf(key)) as Key as K) : key
}

const INITIAL_KEY_BYTES = 1024

// A double and its two halves. All encoders of a thread share them, since no encoder is interrupted between the two
// accesses.
const doubles = new Float64Array(1)
const halves = new Int32Array(doubles.buffer)
const NAN_HIGH = 0x7ff80000

/**
 * A reusable buffer that holds one encoded key. See docs/internals/format.md, "Entry". {@link KeyBuffer.words} and
 * {@link KeyBuffer.bytes} view the same memory; both are replaced when a longer key needs more of it.
 */
export class KeyBuffer {
  words = new Int32Array(INITIAL_KEY_BYTES / 4)
  bytes = new Uint8Array(this.words.buffer)
  /** Key kind of the region format; 0 after a value that is no key. */
  kind = 0
  /** Length in bytes, without the zeros that pad the last word. */
  length = 0

  /**
   * Encodes `key`. O(length).
   *
   * @returns false if `key` has no key type (then {@link KeyBuffer.kind} is 0), or is longer than MAX_KEY_BYTES
   */
  encode(key: Key): boolean {
    if (typeof key === 'string') return this.encodeString(key)
    if (typeof key === 'number') return this.encodeNumber(key)
    return this.encodeOther(key)
  }

  private encodeString(key: string): boolean {
    const length = key.length
    if (length > MAX_KEY_BYTES) return this.reject(KEY_LATIN1)
    if (length > this.bytes.length) this.grow(length)
    const words = this.words
    const whole = length & ~3
    let units = 0
    let i = 0
    for (; i < whole; i += 4) {
      const a = key.charCodeAt(i)
      const b = key.charCodeAt(i + 1)
      const c = key.charCodeAt(i + 2)
      const d = key.charCodeAt(i + 3)
      units |= a | b | c | d
      words[i >> 2] = a | (b << 8) | (c << 16) | (d << 24)
    }
    if (i < length) {
      let last = 0
      for (let shift = 0; i < length; i++, shift += 8) {
        const unit = key.charCodeAt(i)
        units |= unit
        last |= unit << shift
      }
      words[whole >> 2] = last
    }
    if (units > 0xff) return this.encodeWideString(key)
    this.kind = KEY_LATIN1
    this.length = length
    return true
  }

  private encodeWideString(key: string): boolean {
    const units = key.length
    if (units * 2 > MAX_KEY_BYTES) return this.reject(KEY_UTF16)
    if (units * 2 > this.bytes.length) this.grow(units * 2)
    const words = this.words
    for (let i = 0; i + 1 < units; i += 2) words[i >> 1] = key.charCodeAt(i) | (key.charCodeAt(i + 1) << 16)
    if (units & 1) words[units >> 1] = key.charCodeAt(units - 1)
    this.kind = KEY_UTF16
    this.length = units * 2
    return true
  }

  private encodeNumber(key: number): boolean {
    if (key !== key) {
      // All NaNs are one key, with any payload.
      this.words[0] = 0
      this.words[1] = NAN_HIGH
    } else {
      doubles[0] = key + 0 // -0 + 0 is 0
      this.words[0] = halves[0]
      this.words[1] = halves[1]
    }
    this.kind = KEY_NUMBER
    this.length = 8
    return true
  }

  private encodeOther(key: unknown): boolean {
    if (typeof key === 'boolean') {
      this.words[0] = key ? 1 : 0
      this.kind = KEY_BOOLEAN
      this.length = 1
      return true
    }
    if (typeof key === 'bigint') return this.encodeBigint(key)
    if (isUint8Array(key)) return this.encodeBytes(key)
    return this.reject(0)
  }

  private encodeBigint(key: bigint): boolean {
    const digits = bigintDigits(key)
    const length = bigintBytes(digits)
    if (length > MAX_KEY_BYTES) return this.reject(KEY_BIGINT)
    if (length > this.bytes.length) this.grow(length)
    writeBigint(digits, this.words)
    this.kind = KEY_BIGINT
    this.length = length
    return true
  }

  private encodeBytes(key: Uint8Array): boolean {
    const length = byteLengthOf(key)
    if (length === 0 && isOutOfReach(key)) return this.reject(0)
    if (length > MAX_KEY_BYTES) return this.reject(KEY_BYTES)
    if (length > this.bytes.length) this.grow(length)
    if (length & 3) this.words[length >> 2] = 0
    this.bytes.set(key)
    this.kind = KEY_BYTES
    this.length = length
    return true
  }

  private reject(kind: number): boolean {
    this.kind = kind
    this.length = 0
    return false
  }

  private grow(bytes: number): void {
    this.words = new Int32Array(2 ** Math.ceil(Math.log2(bytes)) / 4)
    this.bytes = new Uint8Array(this.words.buffer)
  }
}

/**
 * Decodes the key in the `length` bytes at `offset` of `bytes`.
 *
 * @param kind a key kind of the region format
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if keys of that kind cannot have that length, or there is no such kind
 */
export function decodeKey(kind: number, bytes: Uint8Array, offset: number, length: number): Key {
  if (!isKeyLength(kind, length)) {
    throw new MapsafeError(
      'ERR_MAPSAFE_CORRUPT',
      `A key of kind ${kind} and ${length} bytes was met, which is none: something wrote into the map's region past the map. ` +
        'Create a new map.',
    )
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + offset, length)
  switch (kind) {
    case KEY_LATIN1:
      return view.toString('latin1')
    case KEY_UTF16:
      return view.toString('utf16le')
    case KEY_NUMBER:
      return view.readDoubleLE(0)
    case KEY_BIGINT:
      return readBigint(view, 0, length)
    case KEY_BOOLEAN:
      return view[0] === 1
    default:
      return new Uint8Array(view)
  }
}
