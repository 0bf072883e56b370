import {
  BLOCK_WORDS,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  HEADER_DIRECTORY,
  MAX_DEPTH,
  SEGMENT_BYTES,
} from '../../../format/layout.js'
import type { Region } from '../../../format/region.js'

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

/** Depth of the array in block `directory`; -1 if no array can lie there. */
export function depthOf(region: Region, directory: number): number {
  if (!region.contains(directory, DIRECTORY_ENTRIES)) return -1
  const depth = region.words[directory * BLOCK_WORDS + DIRECTORY_DEPTH]
  const isPossible = depth >= 0 && depth <= MAX_DEPTH && region.contains(directory, DIRECTORY_ENTRIES + 2 ** depth)
  return isPossible ? depth : -1
}

/** Fills the block `next` with the current array doubled, and publishes it. Needs the directory mutex. */
export function doubleDirectory(words: Int32Array, current: number, depth: number, next: number): void {
  const from = current * BLOCK_WORDS + DIRECTORY_ENTRIES
  const to = next * BLOCK_WORDS + DIRECTORY_ENTRIES
  words[next * BLOCK_WORDS + DIRECTORY_DEPTH] = depth + 1
  words[next * BLOCK_WORDS + DIRECTORY_PREVIOUS] = current
  for (let i = 0; i < 2 ** depth; i++) {
    const segment = Atomics.load(words, from + i)
    words[to + 2 * i] = segment
    words[to + 2 * i + 1] = segment
  }
  Atomics.store(words, HEADER_DIRECTORY, next) // publishes the plain stores above
}

/**
 * Makes `segment` the target of every hash whose top `depth` bits are those of `prefix`. Needs the directory mutex.
 * False, and nothing is changed, if the directory has no such entries.
 */
export function assignSegment(region: Region, segment: number, prefix: number, depth: number): boolean {
  const { words } = region
  const directory = Atomics.load(words, HEADER_DIRECTORY)
  const directoryDepth = depthOf(region, directory)
  if (directoryDepth < depth) return false
  const count = 2 ** (directoryDepth - depth)
  const first = directory * BLOCK_WORDS + DIRECTORY_ENTRIES + topBits(prefix, depth) * count
  for (let i = 0; i < count; i++) Atomics.store(words, first + i, segment)
  return true
}
