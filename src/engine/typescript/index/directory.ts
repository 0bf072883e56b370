import {
  BLOCK_WORDS,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  HEADER_DIRECTORY,
} from '../../../format/layout.js'
import type { Region } from '../../../format/region.js'
import { topBits, depthOf } from '../../../format/directory.js'

/** Fills the block `next` with the doubled current array, and publishes it. Needs the directory mutex. */
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
 * Returns false, and changes nothing, if the directory has no such entries.
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
