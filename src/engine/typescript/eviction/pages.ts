/** Walks in a circle over some of the heap's pages, to empty them. */
import {
  BLOCK_WORDS,
  HEADER_HEAP,
  HEADER_PAGE_TABLE,
  PAGE_BLOCKS,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_ENTRY_WORDS,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_RUN,
  PAGE_SPAN,
  SIZE_CLASSES,
} from '../../../format/layout.js'
import { classBlocks, spanCapacity } from '../../../format/size-classes.js'
import type { Region } from '../../../format/region.js'

/**
 * A hand on a range of pages.
 *
 * Thread safety: one thread. The page table may change meanwhile: it only hints where to look.
 */
export class PageHand {
  private readonly words: Int32Array
  private readonly table: number
  private readonly firstBlock: number
  private page: number

  /** @param first the first of `count` pages. A run that begins in this range ends in it */
  constructor(
    region: Region,
    private readonly first: number,
    readonly count: number,
  ) {
    this.page = first
    this.words = region.words
    this.table = this.words[HEADER_PAGE_TABLE] * BLOCK_WORDS
    this.firstBlock = this.words[HEADER_HEAP]
  }

  /** Calls `visit` for every block of the next span or large run, and moves on behind it. Returns the pages passed. */
  visit(visit: (block: number) => void): number {
    const end = this.first + this.count
    let passed = 0
    while (passed < this.count) {
      const { page } = this
      const at = this.table + page * PAGE_ENTRY_WORDS
      const kind = this.words[at + PAGE_KIND]
      const pages = Math.max(1, Math.min(this.words[at + PAGE_RUN], end - page))
      const block = this.firstBlock + page * PAGE_BLOCKS
      const isSpan = (kind & 0xff) === PAGE_SPAN
      const step = isSpan || kind === PAGE_LARGE_RUN ? pages : 1
      passed += step
      this.page = page + step < end ? page + step : this.first
      if (isSpan) {
        this.visitSpan(block, kind >>> PAGE_CLASS_SHIFT, this.words[at + PAGE_CARVED], visit)
        break
      }
      if (kind === PAGE_LARGE_RUN) {
        visit(block)
        break
      }
    }
    return passed
  }

  private visitSpan(first: number, sizeClass: number, carved: number, visit: (block: number) => void): void {
    if (sizeClass >= SIZE_CLASSES) return
    const blocks = Math.min(carved, spanCapacity(sizeClass))
    for (let index = 0; index < blocks; index++) visit(first + index * classBlocks(sizeClass))
  }
}
