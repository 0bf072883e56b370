/**
 * Computes HalfSipHash-1-3 of `count` words followed by `last`. See docs/internals/format.md, "Hash".
 *
 * Written from the algorithm's description (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012,
 * and the parameters of its 32-bit variant in the reference code).
 *
 * @returns the hash as a signed 32-bit integer
 */
export function halfSipHash(secret0: number, secret1: number, words: Int32Array, count: number, last: number): number {
  let v0 = secret0
  let v1 = secret1
  let v2 = secret0 ^ 0x6c796765
  let v3 = secret1 ^ 0x74656462
  for (let i = 0; i <= count; i++) {
    const word = i < count ? words[i] : last
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  v2 ^= 0xff
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }
  return v1 ^ v3
}
