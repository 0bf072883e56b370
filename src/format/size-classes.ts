/** The sizes of blocks, and the spans that are cut into them. See docs/internals/format.md, "Heap". */
import {
  EXACT_CLASSES,
  MIN_SPAN_BLOCKS,
  MIN_SPAN_PAGES,
  PAGE_BLOCKS,
  HEADER_RUN_BINS,
  RUN_BIN_COUNT,
} from './layout.js'

/** Returns the size class of a request of `blocks` blocks, 1 to MAX_CLASS_BLOCKS. */
export function classOf(blocks: number): number {
  if (blocks <= EXACT_CLASSES) return blocks - 1
  const last = blocks - 1
  const log = 31 - Math.clz32(last)
  return EXACT_CLASSES + (log - 5) * 8 + (last >>> (log - 3)) - 8
}

/** Returns the number of blocks in one piece of a size class. */
export function classBlocks(sizeClass: number): number {
  if (sizeClass < EXACT_CLASSES) return sizeClass + 1
  const step = (sizeClass - EXACT_CLASSES) >> 3
  return (((sizeClass - EXACT_CLASSES) & 7) + 9) << (step + 2)
}

/** Returns the number of pages of a span of a size class. */
export function spanPages(sizeClass: number): number {
  return Math.max(MIN_SPAN_PAGES, Math.ceil((classBlocks(sizeClass) * MIN_SPAN_BLOCKS) / PAGE_BLOCKS))
}

/** Returns the number of pieces that a span of a size class is cut into. */
export function spanCapacity(sizeClass: number): number {
  return Math.floor((spanPages(sizeClass) * PAGE_BLOCKS) / classBlocks(sizeClass))
}

/** Returns the header word of the list that holds free runs of `pages` pages. */
export function binOf(pages: number): number {
  return HEADER_RUN_BINS + Math.min(31 - Math.clz32(pages), RUN_BIN_COUNT - 1)
}
