/**
 * Adds up the free space of a heap as a walk over its pages meets it: how long the free runs are, and how many pages
 * would be free if the blocks of each size lay together.
 *
 * Thread safety: one thread.
 */
import { classBlocks, spanCapacity, spanPages } from '../format/size-classes.js'
import { BLOCK_BYTES, MAX_CLASS_BLOCKS, PAGE_BYTES, SIZE_CLASSES } from '../format/layout.js'

export class FreeSpace {
  /** Free pages, and the longest run of them. */
  pages = 0
  longestRun = 0
  runs = 0
  /** For each size class, its spans and the blocks of them that are in use. */
  private readonly spans = new Uint32Array(SIZE_CLASSES)
  private readonly used = new Uint32Array(SIZE_CLASSES)

  addRun(pages: number): void {
    if (pages <= 0) return
    this.pages += pages
    this.runs++
    this.longestRun = Math.max(this.longestRun, pages)
  }

  /** @param used number of its blocks that are neither free nor still to be cut */
  addSpan(sizeClass: number, used: number): void {
    this.spans[sizeClass]++
    this.used[sizeClass] += used
  }

  /** Bytes of the largest entry for which there is room as everything lies now. */
  get largest(): number {
    return largestIn(
      this.longestRun,
      (sizeClass) => this.used[sizeClass] < this.spans[sizeClass] * spanCapacity(sizeClass),
    )
  }

  /** Bytes of the largest entry for which there would be room if the blocks of each size class lay together. */
  get largestIfCompacted(): number {
    let { pages } = this
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      const needed = Math.ceil(this.used[sizeClass] / spanCapacity(sizeClass))
      pages += (this.spans[sizeClass] - needed) * spanPages(sizeClass)
    }
    return Math.max(
      this.largest,
      largestIn(pages, () => false),
    )
  }
}

/** @param hasBlock whether a span of the class has room */
function largestIn(run: number, hasBlock: (sizeClass: number) => boolean): number {
  // What is above the largest class is a run of its own; what is below takes a block, or a run for a span.
  if (run * PAGE_BYTES > MAX_CLASS_BLOCKS * BLOCK_BYTES) return run * PAGE_BYTES
  for (let sizeClass = SIZE_CLASSES - 1; sizeClass >= 0; sizeClass--) {
    if (hasBlock(sizeClass) || spanPages(sizeClass) <= run) return classBlocks(sizeClass) * BLOCK_BYTES
  }
  return 0
}
