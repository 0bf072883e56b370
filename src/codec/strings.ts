/** Makes strings from encoded bytes: short ones without a call out of JavaScript, and names from a table. */
import type { Buffer } from '../platform/buffer.js'

/** The greatest length for which building a string in JavaScript is faster than a call out of it. */
const MAX_BUILT = 16
/** The greatest length for which a search for bytes above 127 pays: Latin-1 is the fastest call. */
const MAX_LOOKED_AT = 64
const MAX_NAME_BYTES = 32
const NAME_PLACES = 2048

/** Methods of `Buffer` that `toString` calls, and that the types leave out. */
export type Slices = Buffer &
  Readonly<Record<'latin1Slice' | 'ucs2Slice' | 'utf8Slice', (start: number, end: number) => string>>

const { fromCharCode } = String
/** Arrays that collect code units, by length. */
const units: readonly number[][] = Array.from({ length: MAX_BUILT + 1 }, (_, length) =>
  new Array<number>(length).fill(0),
)

/** Returns the string in `length` bytes of UTF-8. Bytes that are not UTF-8 become U+FFFD. */
export function readUtf8(bytes: Slices, start: number, length: number): string {
  const built = length <= MAX_LOOKED_AT ? readAscii(bytes, start, length) : undefined
  return built ?? bytes.utf8Slice(start, start + length)
}

/** Returns the string in `length` bytes, one for each unit. */
export function readLatin1(bytes: Slices, start: number, length: number): string {
  const built = length <= MAX_BUILT ? readAscii(bytes, start, length) : undefined
  return built ?? bytes.latin1Slice(start, start + length)
}

/** The greatest length of a string that is kept once it was read: two words of four bytes tell such strings apart. */
export const MAX_SHORT = 8
const SHORT_PLACES = 1024
const GOLDEN = 0x9e3779b1

// Short strings read before, each at the place that its bytes hash to. Most short strings in values are words that come
// again and again, and comparing two numbers takes less time than making a string.
const shortStrings = new Array<string>(SHORT_PLACES).fill('')
const firstWords = new Int32Array(SHORT_PLACES)
const lastWords = new Int32Array(SHORT_PLACES)

/** Is {@link readLatin1} for 1 to {@link MAX_SHORT} bytes. @param view of the same memory as `bytes` */
export function readShort(view: DataView, bytes: Slices, start: number, length: number): string {
  let first: number
  let last = 0
  if (length >= 4) {
    first = view.getInt32(start, true)
    last = view.getInt32(start + length - 4, true) // the two overlap in a string of less than eight
  } else {
    first = bytes[start]
    if (length > 1) first |= bytes[start + 1] << 8
    if (length > 2) first |= bytes[start + 2] << 16
  }
  const place = Math.imul(first ^ Math.imul(last, GOLDEN) ^ length, GOLDEN) >>> 22
  const known = shortStrings[place]
  if (known.length === length && firstWords[place] === first && lastWords[place] === last) return known
  const text = readLatin1(bytes, start, length)
  shortStrings[place] = text
  firstWords[place] = first
  lastWords[place] = last
  return text
}

/** Returns the string in `length` bytes, at most {@link MAX_LOOKED_AT}; undefined if they are not all below 128. */
function readAscii(bytes: Slices, start: number, length: number): string | undefined {
  let seen = 0
  if (length > MAX_BUILT) {
    for (let i = 0; i < length; i++) seen |= bytes[start + i]
    return seen < 0x80 ? bytes.latin1Slice(start, start + length) : undefined
  }
  const collected = units[length]
  for (let i = 0; i < length; i++) seen |= collected[i] = bytes[start + i]
  return seen < 0x80 ? fromCharCode(...collected) : undefined
}

interface Name {
  readonly text: string
  readonly bytes: Uint8Array
}

const names = new Array<Name | undefined>(NAME_PLACES).fill(undefined)

/**
 * Returns the name in `length` bytes, at least one; undefined if it is long, or not ASCII. A name read before comes
 * from a table, which saves making the string, and making it unique as V8 does with property names.
 */
export function readName(bytes: Slices, start: number, length: number): string | undefined {
  if (length > MAX_NAME_BYTES) return undefined
  const place =
    (length * 0x91 + bytes[start] * 0x1f + bytes[start + (length >> 1)] * 0x7 + (bytes[start + length - 1] << 4)) &
    (NAME_PLACES - 1)
  const known = names[place]
  if (known?.bytes.length === length) {
    const kept = known.bytes
    let i = 0
    while (i < length && kept[i] === bytes[start + i]) i++
    if (i === length) return known.text
  }
  const text = readAscii(bytes, start, length)
  if (text !== undefined) names[place] = { text, bytes: new Uint8Array(bytes.subarray(start, start + length)) }
  return text
}
