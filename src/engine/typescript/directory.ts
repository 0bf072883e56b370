import {
  BLOCK_WORDS,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  HEADER_DIRECTORY,
  SEGMENT_BYTES,
} from '../../region/layout.js'

export const SEGMENT_WORDS = SEGMENT_BYTES / 4

/** The top `depth` bits of a hash, for a depth of 0 to 31. */
export function topBits(hash: number, depth: number): number {
  // Two shifts, because a shift by 32 is one by 0.
  return (hash >>> 1) >>> (31 - depth)
}

/** Size of a directory array. */
export function directoryBytes(depth: number): number {
  return (DIRECTORY_ENTRIES + 2 ** depth) * 4
}

/** Fills the block `next` with the current array doubled, and publishes it. Needs the directory mutex. */
export function doubleDirectory(words: Int32Array, next: number): void {
  const current = Atomics.load(words, HEADER_DIRECTORY)
  const from = current * BLOCK_WORDS + DIRECTORY_ENTRIES
  const to = next * BLOCK_WORDS + DIRECTORY_ENTRIES
  const depth = words[current * BLOCK_WORDS + DIRECTORY_DEPTH]
  words[next * BLOCK_WORDS + DIRECTORY_DEPTH] = depth + 1
  words[next * BLOCK_WORDS + DIRECTORY_PREVIOUS] = current
  for (let i = 0; i < 2 ** depth; i++) {
    const segment = Atomics.load(words, from + i)
    words[to + 2 * i] = segment
    words[to + 2 * i + 1] = segment
  }
  Atomics.store(words, HEADER_DIRECTORY, next) // publishes the plain stores above
}

/** Makes `segment` the target of every hash whose top `depth` bits are those of `prefix`. Needs the directory mutex. */
export function assignSegment(words: Int32Array, segment: number, prefix: number, depth: number): void {
  const directory = Atomics.load(words, HEADER_DIRECTORY) * BLOCK_WORDS
  const directoryDepth = words[directory + DIRECTORY_DEPTH]
  const first = directory + DIRECTORY_ENTRIES + topBits(prefix, directoryDepth)
  const count = 2 ** (directoryDepth - depth)
  for (let i = 0; i < count; i++) Atomics.store(words, first + i, segment)
}
