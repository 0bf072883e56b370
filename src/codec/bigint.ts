/** Bytes that {@link writeBigint} needs: a sign word and the magnitude in words. */
export function bigintBytes(value: bigint): number {
  return 4 + 4 * Math.ceil(hexDigits(value).length / 8)
}

/** Writes `value` as docs/format.md describes it, at byte `offset`. */
export function writeBigint(value: bigint, view: DataView, offset: number): void {
  const digits = hexDigits(value)
  view.setUint32(offset, value < 0n ? 1 : 0, true)
  let at = offset + 4
  for (let end = digits.length; end > 0; end -= 8, at += 4) {
    view.setUint32(at, Number.parseInt(digits.slice(Math.max(0, end - 8), end), 16), true)
  }
}

/** Reads a bigint of `length` bytes at byte `offset`. */
export function readBigint(view: DataView, offset: number, length: number): bigint {
  let digits = ''
  for (let at = offset + length - 4; at > offset; at -= 4) {
    digits += view.getUint32(at, true).toString(16).padStart(8, '0')
  }
  const magnitude = BigInt(`0x${digits || '0'}`)
  return view.getUint32(offset, true) === 1 ? -magnitude : magnitude
}

/** Magnitude in hexadecimal; empty for zero. Conversion to and from hexadecimal is linear, unlike division. */
function hexDigits(value: bigint): string {
  return value === 0n ? '' : (value < 0n ? -value : value).toString(16)
}
