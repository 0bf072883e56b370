import { KeyBuffer, type Key } from '../../src/format/key.js'
import { halfSipHash } from '../../src/format/half-sip-hash.js'

export type Secret = readonly [number, number]

/** The hash of `key` in a region with this secret, as docs/internals/format.md has it. */
export function hasherOf([secret0, secret1]: Secret): (key: Key) => number {
  const buffer = new KeyBuffer()
  return (key) => {
    buffer.encode(key)
    const { words, length, kind } = buffer
    return halfSipHash(secret0, secret1, words, (length + 3) >> 2, length | (kind << 28))
  }
}

/** Keys that `accepts` takes for their hash, found by trying: what an attacker does who knows the secret. */
export function keysByHash(secret: Secret, accepts: (hash: number) => boolean, count: number): number[] {
  const hash = hasherOf(secret)
  const keys: number[] = []
  for (let key = 0; keys.length < count; key++) if (accepts(hash(key))) keys.push(key)
  return keys
}

/** How an unkeyed hash takes in four more bytes, given as a word. */
export type Step = (state: number, word: number) => number

const byBytes =
  (take: (state: number, byte: number) => number): Step =>
  (state, word) => {
    for (let shift = 0; shift < 32; shift += 8) state = take(state, (word >>> shift) & 0xff)
    return state
  }

/** Unkeyed hash functions that maps are often made with: the state before the first byte, and the step. */
export const unkeyedHashes: Readonly<Record<string, { readonly start: number; readonly step: Step }>> = {
  'FNV-1a': { start: 0x811c9dc5 | 0, step: byBytes((state, byte) => Math.imul(state ^ byte, 0x01000193)) },
  djb2: { start: 5381, step: byBytes((state, byte) => (Math.imul(state, 33) + byte) | 0) },
  'MurmurHash3, seed 0': {
    start: 0,
    step(state, word) {
      const mixed = Math.imul(word, 0xcc9e2d51)
      const next = state ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
      return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0
    },
  },
}

/**
 * 2 to the power of `stages` strings of equal length that all have one hash under an unkeyed function of 32 bits. At
 * each stage two pairs of words are found that lead from the state reached to one and the same, and either may follow
 * what came before (Joux, "Multicollisions in iterated hash functions", CRYPTO 2004). Single words would not do:
 * MurmurHash3 keeps them apart.
 */
export function collidingStrings({ start, step }: { start: number; step: Step }, stages: number): string[] {
  let state = start
  let strings = ['']
  for (let stage = 0; stage < stages; stage++) {
    const met = new Map<number, number>()
    for (let pair = 0; ; pair++) {
      const next = step(step(state, firstOf(pair)), secondOf(pair))
      const other = met.get(next)
      if (other === undefined) {
        met.set(next, pair)
        continue
      }
      const ends = [other, pair].map((one) => textOf(firstOf(one)) + textOf(secondOf(one)))
      strings = strings.flatMap((string) => ends.map((end) => string + end))
      state = next
      break
    }
  }
  return strings
}

// Unlike each other, or the pairs would be too regular to collide.
const firstOf = (pair: number): number => Math.imul(pair, 0x9e3779b1)
const secondOf = (pair: number): number => Math.imul(pair ^ (pair >>> 7), 0x85ebca6b) ^ (pair << 3)

const textOf = (word: number): string =>
  String.fromCharCode(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24)
