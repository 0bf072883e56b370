import { heapBlock, heapPages, PAGE_TABLE_BLOCK, reservePages } from '../../../format/geometry.js'
import {
  BLOCK_WORDS,
  FLAG_CACHE,
  HEADER_FLAGS,
  HEADER_HEAP_TOP,
  HEADER_JOURNAL,
  HEADER_JOURNAL_LENGTH,
  HEADER_PAGES_IN_USE,
  HEADER_PARTIAL_SPANS,
  HEADER_RUN_BINS,
  JOURNAL_CAPACITY,
  PAGE_BLOCKS,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_CLOSED,
  PAGE_ENTRY_WORDS,
  PAGE_FREE_COUNT,
  PAGE_FREE_HEAD,
  PAGE_FREE_RUN,
  PAGE_FREE_RUN_END,
  PAGE_INSIDE,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_NEXT,
  PAGE_PREVIOUS,
  PAGE_RUN,
  PAGE_SPAN,
  PAGE_SPAN_LATER,
  RUN_BIN_COUNT,
  SIZE_CLASSES,
} from '../../../format/layout.js'
import { CORRUPT, FULL } from '../../engine.js'
import type { Region } from '../../../format/region.js'
import { classBlocks, spanPages, spanCapacity, binOf } from '../../../format/size-classes.js'

// Where a block may be.
export const OUTSIDE_RESERVE = 0
export const ANYWHERE = 1
/**
 * Outside the reserve, for what never moves: as far up as possible, so that runs of movable pages stay long.
 */
export const FIXED = 2

/**
 * The central heap: runs of pages, and spans, which are runs cut into blocks of one size class. See docs/internals/format.md,
 * "Heap".
 *
 * Thread safety: every method must be called with the heap mutex held, so plain loads and stores are enough. Threads
 * use FreeLists, which takes the mutex.
 *
 * The thread that holds the mutex may die between any two stores. Every word changed under the mutex is noted first,
 * with its old value, in the region's journal; {@link Heap.commit} empties the journal. A takeover of the mutex
 * restores the noted words. (Plain stores are enough: a processor ends a thread between two instructions, and V8 keeps
 * stores to one array in order.)
 *
 * Invariants: a span is in its class's partial list exactly while it has a block to give and is not closed; two free
 * runs never touch, nor does one touch the never used pages. Safety does not depend on these invariants: page numbers, lengths and kinds
 * are checked where they are read, every walk over a list ends, and in a damaged heap blocks get lost or the result is
 * CORRUPT.
 *
 * *The reserve* of a cache is its last pages. No span or large run lies half in it, and everything in it can be
 * evicted: a caller that allocates memory says whether it may be from there.
 */
export class Heap {
  readonly pageCount: number
  /** First page of the reserve; the number of pages if there is none. */
  readonly reservePage: number
  /** Block number of that page: blocks from here on are in the reserve. */
  readonly reserveBlock: number
  private readonly words: Int32Array
  private readonly table: number
  private readonly firstBlock: number

  constructor(private readonly region: Region) {
    this.words = region.words
    this.pageCount = heapPages(this.words.byteLength)
    this.table = PAGE_TABLE_BLOCK * BLOCK_WORDS
    this.firstBlock = heapBlock(this.words.byteLength)
    const isCache = (this.words[HEADER_FLAGS] & FLAG_CACHE) !== 0
    this.reservePage = this.pageCount - (isCache ? reservePages(this.pageCount) : 0)
    this.reserveBlock = this.blockOf(this.reservePage)
  }

  /**
   * Returns a block of the class, or the status FULL or CORRUPT. O(1), and O(free runs) when a new span is needed;
   * outside the reserve, if some of the reserve is in use, also O(its spans with room).
   */
  take(sizeClass: number, place = OUTSIDE_RESERVE, mayGrow = true): number {
    const list = HEADER_PARTIAL_SPANS + sizeClass
    let page = this.words[list] - 1
    for (let steps = 0; place !== ANYWHERE && page >= this.reservePage && this.isSpan(page, sizeClass); steps++) {
      if (steps === this.pageCount) return CORRUPT
      page = this.words[this.descriptor(page) + PAGE_NEXT] - 1
    }
    if (page < 0 && !mayGrow) return FULL
    if (page < 0) page = this.growClass(sizeClass, place)
    if (page < 0) return page
    if (!this.isSpan(page, sizeClass)) return CORRUPT
    const at = this.descriptor(page)
    const capacity = spanCapacity(sizeClass)
    let freeCount = this.words[at + PAGE_FREE_COUNT] >>> 0
    let carved = this.words[at + PAGE_CARVED] >>> 0
    let block: number
    if (freeCount > 0) {
      block = this.words[at + PAGE_FREE_HEAD]
      if (this.spanOf(block) !== page) return CORRUPT
      this.write(at + PAGE_FREE_HEAD, this.words[block * BLOCK_WORDS])
      this.write(at + PAGE_FREE_COUNT, --freeCount)
    } else {
      block = this.blockOf(page) + carved * classBlocks(sizeClass)
      if (carved >= capacity || !this.region.contains(block, classBlocks(sizeClass) * BLOCK_WORDS)) return CORRUPT
      this.write(at + PAGE_CARVED, ++carved)
    }
    if (freeCount === 0 && carved === capacity) this.unlink(list, page)
    return block
  }

  /** Returns whether the next block of the class, if there is a span with room, is in the reserve. */
  isNextReserved(sizeClass: number): boolean {
    return this.words[HEADER_PARTIAL_SPANS + sizeClass] > this.reservePage
  }

  /**
   * Takes back a block that {@link Heap.take} gave for this class. Returns false, and the block is lost, if it belongs
   * to no span of the class, or the span has all its blocks.
   */
  give(sizeClass: number, block: number): boolean {
    const page = this.spanOf(block)
    if (!this.isSpan(page, sizeClass)) return false
    const at = this.descriptor(page)
    const freeCount = this.words[at + PAGE_FREE_COUNT] >>> 0
    const carved = this.words[at + PAGE_CARVED] >>> 0
    if (freeCount >= carved) return false
    this.write(block * BLOCK_WORDS, this.words[at + PAGE_FREE_HEAD])
    this.write(at + PAGE_FREE_HEAD, block)
    this.write(at + PAGE_FREE_COUNT, freeCount + 1)
    const list = HEADER_PARTIAL_SPANS + sizeClass
    if (this.words[at + PAGE_CLOSED] !== 0) {
      if (freeCount + 1 === carved) this.releaseSpan(sizeClass, page)
      return true
    }
    if (freeCount === 0 && carved === spanCapacity(sizeClass)) {
      this.releaseIdle(sizeClass)
      this.link(list, page)
    }
    // The last span with room stays, so that a class that is nearly empty does not build spans again and again. In the
    // reserve it does not stay, since it would be in the way of a long run.
    const isOnlyOne = this.words[list] === page + 1 && this.words[at + PAGE_NEXT] === 0
    if (freeCount + 1 === carved && (!isOnlyOne || page >= this.reservePage)) this.releaseSpan(sizeClass, page)
    return true
  }

  /**
   * Returns the first block of a run of whole pages, for requests above the largest class, or the status FULL or
   * CORRUPT. Free runs with a page from `avoidedFrom` up to `avoidedTo` are left alone.
   */
  takeRun(pages: number, place = OUTSIDE_RESERVE, avoidedFrom = 0, avoidedTo = 0): number {
    const page = this.allocateRun(pages, place, avoidedFrom, avoidedTo)
    if (page < 0) return page
    const at = this.descriptor(page)
    this.write(at + PAGE_KIND, PAGE_LARGE_RUN)
    this.write(at + PAGE_RUN, pages)
    return this.blockOf(page)
  }

  /** Takes back a run of pages. Returns false if there is none at the block. */
  giveRun(block: number): boolean {
    const page = this.pageOf(block)
    if (!this.isPage(page) || this.words[this.descriptor(page) + PAGE_KIND] !== PAGE_LARGE_RUN) return false
    this.freeRun(page, this.words[this.descriptor(page) + PAGE_RUN])
    return true
  }

  /** Takes back a block or a run: calls {@link Heap.give} or {@link Heap.giveRun}. */
  giveAny(block: number): boolean {
    const page = this.spanOf(block)
    if (page < 0) return this.giveRun(block)
    const sizeClass = this.words[this.descriptor(page) + PAGE_KIND] >>> PAGE_CLASS_SHIFT
    return sizeClass < SIZE_CLASSES && this.give(sizeClass, block)
  }

  /** Turns spans without a used block back into free runs. O(size classes). */
  releaseEmptySpans(): void {
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      this.releaseIdle(sizeClass)
      this.commit()
    }
  }

  /**
   * Closes a span: it gives no more blocks, and becomes a free run once all its blocks are back. The word `note` then
   * names it. Returns false if no open span begins at the page.
   */
  close(page: number, note: number): boolean {
    const sizeClass = this.classAt(page)
    if (sizeClass < 0 || this.isClosed(page)) return false
    if (this.hasRoom(page, sizeClass)) this.unlink(HEADER_PARTIAL_SPANS + sizeClass, page)
    this.write(this.descriptor(page) + PAGE_CLOSED, 1)
    this.write(note, page + 1)
    return true
  }

  /** Opens the span that the word `note` names, if it is still closed. */
  reopen(note: number): void {
    const page = this.words[note] - 1
    this.write(note, 0)
    const sizeClass = this.classAt(page)
    if (sizeClass < 0 || !this.isClosed(page)) return
    const at = this.descriptor(page)
    // Without a used block it is a free run; closed, it is in no list from which it would have to be taken.
    if (this.words[at + PAGE_FREE_COUNT] === this.words[at + PAGE_CARVED]) {
      this.releaseSpan(sizeClass, page)
      return
    }
    this.write(at + PAGE_CLOSED, 0)
    if (!this.hasRoom(page, sizeClass)) return
    this.releaseIdle(sizeClass)
    this.link(HEADER_PARTIAL_SPANS + sizeClass, page)
  }

  isClosed(page: number): boolean {
    return this.isPage(page) && this.words[this.descriptor(page) + PAGE_CLOSED] !== 0
  }

  /** Turns the one span in a list into a free run if it has no used block. */
  private releaseIdle(sizeClass: number): void {
    const page = this.words[HEADER_PARTIAL_SPANS + sizeClass] - 1
    if (!this.isSpan(page, sizeClass)) return
    const at = this.descriptor(page)
    const isIdle = this.words[at + PAGE_FREE_COUNT] === this.words[at + PAGE_CARVED]
    if (isIdle && this.words[at + PAGE_NEXT] === 0) this.releaseSpan(sizeClass, page)
  }

  /** Returns the class of the span that begins at a page; -1 if none does. */
  private classAt(page: number): number {
    if (!this.isPage(page)) return -1
    const sizeClass = this.words[this.descriptor(page) + PAGE_KIND] >>> PAGE_CLASS_SHIFT
    return sizeClass < SIZE_CLASSES && this.isSpan(page, sizeClass) ? sizeClass : -1
  }

  private hasRoom(page: number, sizeClass: number): boolean {
    const at = this.descriptor(page)
    return this.words[at + PAGE_FREE_COUNT] > 0 || this.words[at + PAGE_CARVED] < spanCapacity(sizeClass)
  }

  /** Changes a word of the region as a part of the change under way. */
  write(word: number, value: number): void {
    const { words } = this
    const length = words[HEADER_JOURNAL_LENGTH]
    if (length < JOURNAL_CAPACITY) {
      words[HEADER_JOURNAL + 2 * length] = word
      words[HEADER_JOURNAL + 2 * length + 1] = words[word]
      words[HEADER_JOURNAL_LENGTH] = length + 1
    }
    words[word] = value
  }

  /**
   * Makes all changes since the last call final. Called before the mutex is released, and at least once for each span
   * that is built or released, since the journal has room for no more than about two.
   */
  commit(): void {
    this.words[HEADER_JOURNAL_LENGTH] = 0
  }

  /** Undoes the changes since the last commit, of any thread. */
  rollBack(): void {
    const { words } = this
    let length = words[HEADER_JOURNAL_LENGTH]
    if (length > JOURNAL_CAPACITY) length = 0 // a damaged journal is discarded
    for (; length > 0; length--) {
      words[words[HEADER_JOURNAL + 2 * length - 2] >>> 0] = words[HEADER_JOURNAL + 2 * length - 1]
      words[HEADER_JOURNAL_LENGTH] = length - 1
    }
    this.commit()
  }

  /** Returns the page index of the span that `block` lies in; -1 if it lies in none. */
  private spanOf(block: number): number {
    const page = this.pageOf(block)
    if (!this.isPage(page)) return -1
    const at = this.descriptor(page)
    const kind = this.words[at + PAGE_KIND] & 0xff
    if (kind === PAGE_SPAN) return page
    const first = this.words[at + PAGE_RUN]
    return kind === PAGE_SPAN_LATER && this.isPage(first) ? first : -1
  }

  private isSpan(page: number, sizeClass: number): boolean {
    const kind = PAGE_SPAN | (sizeClass << PAGE_CLASS_SHIFT)
    return this.isPage(page) && this.words[this.descriptor(page) + PAGE_KIND] === kind
  }

  private growClass(sizeClass: number, place: number): number {
    const pages = spanPages(sizeClass)
    const first = this.allocateRun(pages, place)
    if (first < 0) return first
    const at = this.descriptor(first)
    this.write(at + PAGE_KIND, PAGE_SPAN | (sizeClass << PAGE_CLASS_SHIFT))
    this.write(at + PAGE_RUN, pages)
    this.write(at + PAGE_FREE_HEAD, 0)
    this.write(at + PAGE_FREE_COUNT, 0)
    this.write(at + PAGE_CARVED, 0)
    this.write(at + PAGE_CLOSED, 0)
    for (let page = first + 1; page < first + pages; page++) {
      this.write(this.descriptor(page) + PAGE_KIND, PAGE_SPAN_LATER)
      this.write(this.descriptor(page) + PAGE_RUN, first)
    }
    this.link(HEADER_PARTIAL_SPANS + sizeClass, first)
    return first
  }

  private releaseSpan(sizeClass: number, page: number): void {
    if (this.isClosed(page)) this.write(this.descriptor(page) + PAGE_CLOSED, 0)
    else this.unlink(HEADER_PARTIAL_SPANS + sizeClass, page)
    const pages = spanPages(sizeClass)
    for (let later = page + 1; later < page + pages && this.isPage(later); later++) {
      this.write(this.descriptor(later) + PAGE_KIND, PAGE_INSIDE)
      this.write(this.descriptor(later) + PAGE_RUN, 0)
    }
    this.freeRun(page, pages)
  }

  private allocateRun(pages: number, place: number, avoidedFrom = 0, avoidedTo = 0): number {
    if (place === FIXED) return this.allocateFixedRun(pages)
    for (let bin = binOf(pages); bin < HEADER_RUN_BINS + RUN_BIN_COUNT; bin++) {
      let link = this.words[bin]
      // Runs that do not fit: in the first bin a run may be too short, in any bin it may be the reserve's. The bound
      // ends a walk over a damaged list.
      for (let steps = 0; link !== 0; steps++) {
        const page = link - 1
        const length = this.freeRunLength(page)
        if (length === 0 || steps === this.pageCount) return CORRUPT
        link = this.words[this.descriptor(page) + PAGE_NEXT]
        if (page < avoidedTo && page + length > avoidedFrom) continue
        const first = this.placeIn(page, length, pages, place)
        if (first >= 0) return this.cutOut(page, length, first, pages)
      }
    }
    const top = this.words[HEADER_HEAP_TOP]
    if (top < 0 || top > this.pageCount) return CORRUPT
    const first = avoidedTo > top ? -1 : this.placeIn(top, this.pageCount - top, pages, place)
    if (first < 0) return FULL
    if (first > top) this.insertFreeRun(top, first - top)
    this.write(HEADER_HEAP_TOP, first + pages)
    this.write(HEADER_PAGES_IN_USE, this.words[HEADER_PAGES_IN_USE] + pages)
    return first
  }

  /** Allocates as {@link Heap.allocateRun} does, but the last of all runs that serve. O(free runs). */
  private allocateFixedRun(pages: number): number {
    const top = this.words[HEADER_HEAP_TOP]
    if (top < 0 || top > this.pageCount) return CORRUPT
    if (top + pages <= this.reservePage) {
      const first = this.reservePage - pages
      if (first > top) this.insertFreeRun(top, first - top)
      this.write(HEADER_HEAP_TOP, this.reservePage)
      this.write(HEADER_PAGES_IN_USE, this.words[HEADER_PAGES_IN_USE] + pages)
      return first
    }
    let last = -1
    for (let bin = binOf(pages); bin < HEADER_RUN_BINS + RUN_BIN_COUNT; bin++) {
      let link = this.words[bin]
      for (let steps = 0; link !== 0; steps++) {
        const page = link - 1
        const length = this.freeRunLength(page)
        if (length === 0 || steps === this.pageCount) return CORRUPT
        link = this.words[this.descriptor(page) + PAGE_NEXT]
        if (length >= pages && page + pages <= this.reservePage && page > last) last = page
      }
    }
    if (last < 0) return FULL
    const length = this.freeRunLength(last)
    return this.cutOut(last, length, Math.min(last + length, this.reservePage) - pages, pages)
  }

  /** Takes `pages` pages from `first` on out of the free run at `page`; returns the first. */
  private cutOut(page: number, length: number, first: number, pages: number): number {
    this.removeFreeRun(page)
    if (first > page) this.insertFreeRun(page, first - page)
    const end = first + pages
    if (page + length > end) this.insertFreeRun(end, page + length - end)
    this.write(HEADER_PAGES_IN_USE, this.words[HEADER_PAGES_IN_USE] + pages)
    return first
  }

  /**
   * Returns where `pages` pages begin that are cut out of `length` free ones from `page` on; -1 if there is no room.
   * They never lie half in the reserve.
   */
  private placeIn(page: number, length: number, pages: number, place: number): number {
    if (page + pages <= this.reservePage) return pages <= length ? page : -1
    const first = Math.max(page, this.reservePage)
    return place === ANYWHERE && first + pages <= page + length ? first : -1
  }

  private freeRun(first: number, length: number): void {
    let page = first
    let pages = length
    if (pages <= 0 || pages > this.pageCount - page) return // lost
    this.write(HEADER_PAGES_IN_USE, this.words[HEADER_PAGES_IN_USE] - pages)
    this.write(this.descriptor(page) + PAGE_KIND, PAGE_INSIDE)
    const after = this.freeRunLength(page + pages)
    if (after > 0) {
      this.removeFreeRun(page + pages)
      pages += after
    }
    if (page > 0) {
      const last = page - 1
      const isEnd = this.words[this.descriptor(last) + PAGE_KIND] === PAGE_FREE_RUN_END
      const before = isEnd ? this.words[this.descriptor(last) + PAGE_RUN] : last
      if (before <= last && this.freeRunLength(before) === page - before) {
        this.removeFreeRun(before)
        pages += page - before
        page = before
      }
    }
    // A run that ends at the top becomes never used pages again instead of a member of a list.
    if (page + pages === this.words[HEADER_HEAP_TOP]) this.write(HEADER_HEAP_TOP, page)
    else this.insertFreeRun(page, pages)
  }

  /** Returns the length of the free run that begins at `page`; 0 if none does. */
  private freeRunLength(page: number): number {
    if (!this.isPage(page) || this.words[this.descriptor(page) + PAGE_KIND] !== PAGE_FREE_RUN) return 0
    const pages = this.words[this.descriptor(page) + PAGE_RUN]
    return pages > 0 && pages <= this.pageCount - page ? pages : 0
  }

  private insertFreeRun(page: number, pages: number): void {
    this.write(this.descriptor(page) + PAGE_KIND, PAGE_FREE_RUN)
    this.write(this.descriptor(page) + PAGE_RUN, pages)
    if (pages > 1) {
      const end = this.descriptor(page + pages - 1)
      this.write(end + PAGE_KIND, PAGE_FREE_RUN_END)
      this.write(end + PAGE_RUN, page)
    }
    this.link(binOf(pages), page)
  }

  private removeFreeRun(page: number): void {
    const pages = this.freeRunLength(page)
    if (pages === 0) return
    this.unlink(binOf(pages), page)
    this.write(this.descriptor(page) + PAGE_KIND, PAGE_INSIDE)
    this.write(this.descriptor(page + pages - 1) + PAGE_KIND, PAGE_INSIDE)
  }

  private link(list: number, page: number): void {
    const next = this.words[list]
    const at = this.descriptor(page)
    this.write(at + PAGE_NEXT, next)
    this.write(at + PAGE_PREVIOUS, 0)
    if (this.isPage(next - 1)) this.write(this.descriptor(next - 1) + PAGE_PREVIOUS, page + 1)
    this.write(list, page + 1)
  }

  private unlink(list: number, page: number): void {
    const next = this.words[this.descriptor(page) + PAGE_NEXT]
    const previous = this.words[this.descriptor(page) + PAGE_PREVIOUS]
    if (this.isPage(previous - 1)) this.write(this.descriptor(previous - 1) + PAGE_NEXT, next)
    else this.write(list, next)
    if (this.isPage(next - 1)) this.write(this.descriptor(next - 1) + PAGE_PREVIOUS, previous)
  }

  blockOf(page: number): number {
    return this.firstBlock + page * PAGE_BLOCKS
  }

  private pageOf(block: number): number {
    return (block - this.firstBlock) >> 8
  }

  private isPage(page: number): boolean {
    return page >= 0 && page < this.pageCount
  }

  descriptor(page: number): number {
    return this.table + page * PAGE_ENTRY_WORDS
  }
}
