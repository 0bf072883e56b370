/**
 * What labels are called where their names are not known: a region has the digest of each, and of those that share a mark
 * its number. An id means the same label in every region, whatever its size. See docs/internals/format.md, "Labels".
 */
import { labelTableBytes } from './labels.js'
import {
  BLOCK_WORDS,
  HEADER_LABEL_TABLES,
  LABEL_DIGEST,
  LABEL_DIGEST_WORDS,
  LABEL_LEVELS,
  LABEL_SLOT_WORDS,
  SHARED_MARKS,
} from './layout.js'
import type { Region } from './region.js'

const DIGEST = /^#([0-9a-f]{48})$/
const MARK = /^#mark(\d{1,4})$/

/** Returns the id of the label whose generation lies at a word; undefined if none does. */
export function labelIdOf(region: Region, word: number): string | undefined {
  const { words } = region
  for (let level = 0; level < LABEL_LEVELS; level++) {
    const block = Atomics.load(words, HEADER_LABEL_TABLES + level)
    const size = labelTableBytes(level) / 4
    const at = word - block * BLOCK_WORDS
    if (!region.contains(block, size) || at < 0 || at >= size) continue
    if (level === 0) return `#mark${at}`
    if (at % LABEL_SLOT_WORDS !== 0) return undefined
    const digest = Array.from({ length: LABEL_DIGEST_WORDS }, (_, i) => words[word + LABEL_DIGEST + i] >>> 0)
    return `#${digest.map((each) => each.toString(16).padStart(8, '0')).join('')}`
  }
  return undefined
}

/** Returns the words of the digest that is in an id; undefined if it has none. */
export function digestOfLabelId(id: string): Int32Array | undefined {
  const hex = DIGEST.exec(id)?.[1]
  if (hex === undefined) return undefined
  return Int32Array.from({ length: LABEL_DIGEST_WORDS }, (_, i) => parseInt(hex.slice(8 * i, 8 * i + 8), 16))
}

/** Returns the number of the mark that is in an id; undefined if it has none. */
export function markOfLabelId(id: string): number | undefined {
  const mark = Number(MARK.exec(id)?.[1])
  return mark < SHARED_MARKS ? mark : undefined
}
