/**
 * Cursors of a scan, in the form that callers get.
 *
 * A position is the hash of the key to go on from. Cursors may reach clients, and hashes must not: a client that knows
 * which keys collide can slow a map down, and hashes of known keys reveal something about the secret. So a cursor is
 * the position under a permutation of 52 bits. 20 of them are zero before the permutation, so that cursors of other
 * maps and invented ones are recognized: one in a million passes, and then stands for some position. The key is derived
 * from the region's secret, so that a cursor means the same to every thread and process. The part of the scan is mixed
 * into it, so that using the cursor with another part reveals nothing.
 *
 * The permutation is a Feistel network (Luby and Rackoff, "How to construct pseudorandom permutations", 1988) of 10
 * rounds over HalfSipHash, as many as FF1 of NIST SP 800-38G has.
 */
import { halfSipHash } from '../format/half-sip-hash.js'
import { HEADER_SECRET_0, HEADER_SECRET_1 } from '../format/layout.js'

/** The greatest cursor. The least is 1. */
export const MAX_CURSOR = 2 ** 52

const HALF_BITS = 26
const HALF = 2 ** HALF_BITS
const HALF_MASK = HALF - 1
const ROUNDS = 10
/** Bits of a position that lie in the right half; below them are the zeros. */
const POSITION_BITS = 6
const ZERO_BITS = HALF_BITS - POSITION_BITS
/**
 * The last word of the hashed input: no key has kind 7 (docs/internals/format.md, "Hash"), so that no key has this
 * hash.
 */
const DOMAIN = 7 << 28

/** Makes and reads the cursors of one part of a scan. */
export class Cursors {
  private readonly input: Int32Array
  private readonly key0: number
  private readonly key1: number

  /** @param words the region */
  constructor(words: Int32Array, part: number, parts: number) {
    const input = new Int32Array(3)
    const derive = (): number => halfSipHash(words[HEADER_SECRET_0], words[HEADER_SECRET_1], input, 3, DOMAIN)
    this.key0 = derive()
    input[0] = 1
    this.key1 = derive()
    input[0] = part
    input[1] = parts
    this.input = input
  }

  /** @param position 0 to 2^32 - 1 */
  make(position: number): number {
    let left = position >>> POSITION_BITS
    let right = (position & (2 ** POSITION_BITS - 1)) << ZERO_BITS
    for (let round = 0; round < ROUNDS; round++) [left, right] = [right, left ^ this.mix(round, right)]
    return left * HALF + right + 1
  }

  /**
   * Returns the position that `cursor` stands for; undefined if this map and part make no such cursor.
   *
   * @param cursor 1 to {@link MAX_CURSOR}
   */
  read(cursor: number): number | undefined {
    let left = Math.floor((cursor - 1) / HALF)
    let right = (cursor - 1) % HALF
    for (let round = ROUNDS - 1; round >= 0; round--) [left, right] = [right ^ this.mix(round, left), left]
    if ((right & (2 ** ZERO_BITS - 1)) !== 0) return undefined
    return left * 2 ** POSITION_BITS + (right >>> ZERO_BITS)
  }

  private mix(round: number, half: number): number {
    this.input[2] = half
    return halfSipHash(this.key0, this.key1, this.input, 3, DOMAIN | round) & HALF_MASK
  }
}
