/**
 * Bigints as keys and values hold them: a word for the sign, 1 if it is negative, then the magnitude in words, the
 * lowest first, without leading zeros; zero has none. See docs/internals/format.md, "Entry".
 *
 * They are converted by way of hexadecimal digits: that takes linear time, unlike division.
 */
import { Buffer } from '../platform/buffer.js'

/** V8's bound on a bigint: 2^30 bits. */
export const MAX_MAGNITUDE_BYTES = 2 ** 27

/** Returns the digits of `value`, from which {@link bigintBytes} and {@link writeBigint} work. */
export function bigintDigits(value: bigint): string {
  return value === 0n ? '' : value.toString(16)
}

/** Returns the number of bytes that {@link writeBigint} needs. */
export function bigintBytes(digits: string): number {
  return 4 + 4 * Math.ceil((digits.length - signLength(digits)) / 8)
}

/** Writes the bigint of these digits to the first words of `words`. */
export function writeBigint(digits: string, words: Int32Array): void {
  const start = signLength(digits)
  words[0] = start
  for (let at = 1, end = digits.length; end > start; at++, end -= 8) {
    words[at] = Number.parseInt(digits.slice(Math.max(start, end - 8), end), 16)
  }
}

function signLength(digits: string): number {
  return digits.startsWith('-') ? 1 : 0
}

/**
 * Reads a bigint of `length` bytes at byte `start`.
 *
 * @param length 4 or more, a multiple of 4, and no more than MAX_MAGNITUDE_BYTES after the sign
 */
export function readBigint(bytes: Buffer, start: number, length: number): bigint {
  const magnitude = readMagnitude(bytes, start + 4, length - 4)
  return bytes.readUInt32LE(start) === 1 ? -magnitude : magnitude
}

/**
 * Reads a number of `length` bytes, the lowest first.
 *
 * @param length any number up to MAX_MAGNITUDE_BYTES
 */
export function readMagnitude(bytes: Buffer, start: number, length: number): bigint {
  if (length === 0) return 0n
  if (length <= 8) {
    let magnitude = 0n
    for (let at = start + length - 1; at >= start; at--) magnitude = (magnitude << 8n) | BigInt(bytes[at])
    return magnitude
  }
  const reversed = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) reversed[i] = bytes[start + length - 1 - i]
  return BigInt(`0x${reversed.toString('hex')}`)
}

/** Returns whether `words` are what {@link writeBigint} makes of a bigint: keys are compared by their words. */
export function isCanonicalBigint(words: Int32Array): boolean {
  if (words[0] !== 0 && words[0] !== 1) return false
  return words.length === 1 ? words[0] === 0 : words[words.length - 1] !== 0
}
