/** The way from a hash to a segment. See docs/internals/format.md, "Directory". */
import { BLOCK_WORDS, DIRECTORY_DEPTH, DIRECTORY_ENTRIES, MAX_DEPTH, SEGMENT_BYTES } from './layout.js'
import type { Region } from './region.js'

export const SEGMENT_WORDS = SEGMENT_BYTES / 4

/** Returns the top `depth` bits of a hash, for a depth of 0 to 31. */
export function topBits(hash: number, depth: number): number {
  // Shifts twice, because a shift by 32 is a shift by 0.
  return (hash >>> 1) >>> (31 - depth)
}

/** Returns the size of a directory array. */
export function directoryBytes(depth: number): number {
  return (DIRECTORY_ENTRIES + 2 ** depth) * 4
}

/** Returns the depth of the array in block `directory`; -1 if no array can lie there. */
export function depthOf(region: Region, directory: number): number {
  if (!region.contains(directory, DIRECTORY_ENTRIES)) return -1
  const depth = region.words[directory * BLOCK_WORDS + DIRECTORY_DEPTH]
  const isPossible = depth >= 0 && depth <= MAX_DEPTH && region.contains(directory, DIRECTORY_ENTRIES + 2 ** depth)
  return isPossible ? depth : -1
}
