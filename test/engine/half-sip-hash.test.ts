import { describe, expect, test } from 'vitest'
import { halfSipHash } from '../../src/format/half-sip-hash.js'
import { Random } from '../support/random.js'
import { seed } from '../support/run.js'

const MASK = 0xffffffffn

/** HalfSipHash-c-d over whole words, the last of which holds the length: slow, and written apart from the engine's. */
function reference(rounds: number, finalRounds: number, key: [number, number], words: number[]): number {
  const rotate = (x: bigint, by: bigint): bigint => ((x << by) | (x >> (32n - by))) & MASK
  const k0 = BigInt(key[0] >>> 0)
  const k1 = BigInt(key[1] >>> 0)
  const v = [k0, k1, 0x6c796765n ^ k0, 0x74656462n ^ k1]
  const sipRound = (): void => {
    v[0] = (v[0] + v[1]) & MASK
    v[1] = rotate(v[1], 5n) ^ v[0]
    v[0] = rotate(v[0], 16n)
    v[2] = (v[2] + v[3]) & MASK
    v[3] = rotate(v[3], 8n) ^ v[2]
    v[0] = (v[0] + v[3]) & MASK
    v[3] = rotate(v[3], 7n) ^ v[0]
    v[2] = (v[2] + v[1]) & MASK
    v[1] = rotate(v[1], 13n) ^ v[2]
    v[2] = rotate(v[2], 16n)
  }
  for (const word of words) {
    const m = BigInt(word >>> 0)
    v[3] ^= m
    for (let i = 0; i < rounds; i++) sipRound()
    v[0] ^= m
  }
  v[2] ^= 0xffn
  for (let i = 0; i < finalRounds; i++) sipRound()
  return Number(v[1] ^ v[3])
}

describe('HalfSipHash', () => {
  test('the reference reproduces the first published vectors of HalfSipHash-2-4', () => {
    // Key 00 01 ... 07; inputs: nothing, 00, 00 01. From vectors_hsip32 of the authors' reference code.
    const key: [number, number] = [0x03020100, 0x07060504]
    expect(reference(2, 4, key, [0])).toBe(0x5b9f35a9)
    expect(reference(2, 4, key, [0x01000000])).toBe(0xb85a4727)
    expect(reference(2, 4, key, [0x02000100])).toBe(0x03a662fa)
  })

  test('the engine agrees with the reference at 1-3, for inputs of every small length', () => {
    const random = new Random(seed)
    const word = (): number => random.below(2 ** 32) | 0
    for (let count = 0; count < 40; count++) {
      for (let repeat = 0; repeat < 10; repeat++) {
        const key: [number, number] = [word(), word()]
        const words = Array.from({ length: count + 1 }, word)
        const hash = halfSipHash(key[0], key[1], Int32Array.from(words), count, words[count])
        expect(hash >>> 0, `MAPSAFE_SEED=${seed}`).toBe(reference(1, 3, key, words))
      }
    }
  })

  test('flipping any one input bit flips about half of the output bits', () => {
    const words = new Int32Array(8)
    const before = halfSipHash(1, 2, words, words.length, 32)
    let flipped = 0
    for (let bit = 0; bit < 256; bit++) {
      words[bit >> 5] ^= 1 << (bit & 31)
      let difference = before ^ halfSipHash(1, 2, words, words.length, 32)
      words[bit >> 5] ^= 1 << (bit & 31)
      for (; difference !== 0; difference &= difference - 1) flipped++
    }
    // 8,192 fair coins: 16 standard deviations of 45 around the mean.
    expect(Math.abs(flipped - 4096)).toBeLessThan(725)
  })
})
