/**
 * Tables of labels. Their slots are filled by the store, which is the same over both engines: src/store/labels.ts. See docs/internals/protocol.md, "Labels".
 */
import {
  BLOCK_WORDS,
  FEATURE_LABELS,
  HEADER_FEATURES,
  HEADER_LABEL_TABLES,
  LABEL_LEVELS,
} from '../../../format/layout.js'
import { labelTableBytes } from '../../../format/labels.js'
import { DONE, FULL } from '../../engine.js'
import type { Core } from '../core.js'
import { FIXED } from '../memory/heap.js'

/**
 * Makes the table of a level, if there is none yet; a cache evicts for it. Status DONE if there is one now; FULL, TIMEOUT or
 * CORRUPT.
 */
export function makeLabelTable(core: Core, level: number): void {
  core.end(level < LABEL_LEVELS ? makeIfMissing(core, level) : FULL)
}

function makeIfMissing(core: Core, level: number): number {
  const { words, blocks, evictor } = core
  const word = HEADER_LABEL_TABLES + level
  if (Atomics.load(words, word) !== 0) return DONE
  const bytes = labelTableBytes(level)
  if (!blocks.couldFit(bytes)) return FULL
  let table = blocks.allocate(bytes, FIXED)
  if (table === FULL && evictor !== undefined) {
    table = evictor.makeFixedRoom(bytes)
    evictor.sweepForgotten()
  }
  if (table < 0) return table
  words.fill(0, table * BLOCK_WORDS, table * BLOCK_WORDS + bytes / 4)
  // Before any entry can have a label: a version that does not know them must not open the region any more.
  Atomics.or(words, HEADER_FEATURES, FEATURE_LABELS)
  if (Atomics.compareExchange(words, word, 0, table) !== 0) blocks.free(table, bytes)
  return DONE
}
