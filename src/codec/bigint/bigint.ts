import { corruptValue } from '../value-error.js'
import { Buffer } from '../../platform/buffer.js'

/** V8's bound on a bigint: 2^30 bits. */
const MAX_MAGNITUDE_BYTES = 2 ** 27

/** Returns the bytes that {@link writeBigint} needs: a sign word and the magnitude in words. */
export function bigintBytes(value: bigint): number {
  return 4 + 4 * Math.ceil(hexDigits(value).length / 8)
}

/** Writes `value` in the form of docs/internals/format.md, at byte `offset`. */
export function writeBigint(value: bigint, view: DataView, offset: number): void {
  const digits = hexDigits(value)
  view.setUint32(offset, value < 0n ? 1 : 0, true)
  let at = offset + 4
  for (let end = digits.length; end > 0; end -= 8, at += 4) {
    view.setUint32(at, Number.parseInt(digits.slice(Math.max(0, end - 8), end), 16), true)
  }
}

/** Reads a bigint of `length` bytes at byte `start`: a sign word and its magnitude. */
export function readBigint(bytes: Buffer, start: number, length: number): bigint {
  const magnitude = readMagnitude(bytes, start + 4, length - 4)
  return bytes.readUInt32LE(start) === 1 ? -magnitude : magnitude
}

/**
 * Reads a number of `length` bytes, the lowest first.
 *
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if it has more bits than a bigint may have
 */
export function readMagnitude(bytes: Buffer, start: number, length: number): bigint {
  if (length > MAX_MAGNITUDE_BYTES) throw corruptValue()
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

/**
 * Returns the magnitude in hexadecimal; empty for zero. Conversion to and from hexadecimal is linear, unlike division.
 */
function hexDigits(value: bigint): string {
  return value === 0n ? '' : (value < 0n ? -value : value).toString(16)
}
