/**
 * Finds the pages of the heap that are cheapest to empty by moving what lies in them. See docs/internals/protocol.md,
 * "Compaction".
 */
import {
  BLOCK_WORDS,
  HEADER_HEAP_TOP,
  HEADER_PAGE_TABLE,
  PAGE_BLOCKS,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_CLOSED,
  PAGE_ENTRY_WORDS,
  PAGE_FREE_COUNT,
  PAGE_FREE_RUN,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_RUN,
  PAGE_SPAN,
  SIZE_CLASSES,
} from '../../../format/layout.js'
import { classBlocks, spanCapacity, spanPages } from '../../../format/size-classes.js'
import { FIXED, Heap } from './heap.js'
import type { Region } from '../../../format/region.js'

/** Runs that one survey looks at, for some 100 microseconds. Small spans fill 64 MiB with as many. */
const MOST_UNITS = 4096
/** Windows that cost up to twice as much as the cheapest, and this, are as good. */
const CHEAP = 16

/**
 * The cost of moving blocks is that of finding their slots, and of copying their bytes: about 64 blocks of 16 bytes in
 * the same time.
 */
function costOf(used: number, blocks: number): number {
  return used * (1 + (blocks >> 6))
}

// The runs that a survey looked at, shared by all surveys, since nothing interrupts one: first page, length, class
// (SIZE_CLASSES if it is no span), blocks in use (1 for a large run), blocks that a span could still give, and whether
// it stays.
const firstPages = new Int32Array(MOST_UNITS)
const lengths = new Int32Array(MOST_UNITS)
const sizeClasses = new Uint8Array(MOST_UNITS)
const usedBlocks = new Int32Array(MOST_UNITS)
const roomInBlocks = new Int32Array(MOST_UNITS)
const staying = new Uint8Array(MOST_UNITS)

/**
 * A survey of the heap.
 *
 * Thread safety: one thread. The page table may change meanwhile: a survey is a hint where to look.
 */
export class PageSurvey {
  /** The pages found last: from the first one up to the other. */
  from = 0
  to = 0

  private readonly words: Int32Array
  private readonly table: number
  private readonly end: number
  private readonly pinned: Uint8Array
  private count = 0
  /** Room in all of them, by class. */
  private readonly classRoom = new Int32Array(SIZE_CLASSES + 1)
  // The window that is moved over the runs: its pages, their cost, and how many classes have blocks in it that would
  // not find room outside of it.
  private windowPages = 0
  private windowCost = 0
  private crowded = 0
  private readonly windowUsed = new Int32Array(SIZE_CLASSES + 1)
  private readonly windowRoom = new Int32Array(SIZE_CLASSES + 1)

  constructor(region: Region) {
    this.words = region.words
    this.table = this.words[HEADER_PAGE_TABLE] * BLOCK_WORDS
    this.end = new Heap(region).reservePage
    this.pinned = new Uint8Array(this.end)
  }

  /** Looks at the runs from page `from` on, a bounded number. Returns the page behind them. */
  look(from: number): number {
    this.count = 0
    this.classRoom.fill(0)
    const top = Math.min(this.words[HEADER_HEAP_TOP], this.end)
    let page = from
    while (page < this.end && this.count < MOST_UNITS) {
      this.lookAt(page, top)
      const unit = this.count++
      if (staying[unit] === 0) this.classRoom[sizeClasses[unit]] += roomInBlocks[unit]
      page += lengths[unit]
    }
    return page
  }

  /** Returns whether there are pages behind `page`. */
  hasPagesFrom(page: number): boolean {
    return page < this.end
  }

  /**
   * Finds neighbouring pages, `pages` or more, that cost little to empty, of those looked at. All entries in them would
   * find room in other spans. The first ones are taken, so that no few pages are left between one time and the next;
   * for what never moves, the last. Returns false if there are none.
   */
  find(pages: number, place: number): boolean {
    let isFound = false
    if (place === FIXED) {
      this.slide(pages, (first, last) => {
        isFound = this.take(first, last)
      })
      return isFound
    }
    let least = Infinity
    this.slide(pages, (_first, _last, cost) => {
      least = Math.min(least, cost)
    })
    this.slide(pages, (first, last, cost) => {
      if (!isFound && cost <= 2 * least + CHEAP) isFound = this.take(first, last)
    })
    return isFound
  }

  /** From now on, no pages are found that include this one. */
  pin(page: number): void {
    this.pinned[page] = 1
  }

  unpinAll(): void {
    this.pinned.fill(0)
  }

  private take(first: number, last: number): boolean {
    this.from = firstPages[first]
    this.to = firstPages[last] + lengths[last]
    return true
  }

  private lookAt(page: number, top: number): void {
    const { words, count } = this
    const at = this.table + page * PAGE_ENTRY_WORDS
    const kind = words[at + PAGE_KIND]
    const most = this.end - page
    firstPages[count] = page
    lengths[count] = Math.max(1, Math.min(words[at + PAGE_RUN], most))
    sizeClasses[count] = SIZE_CLASSES
    usedBlocks[count] = 0
    roomInBlocks[count] = 0
    staying[count] = this.pinned[page]
    if (page >= top) {
      lengths[count] = most
    } else if ((kind & 0xff) === PAGE_SPAN) {
      const sizeClass = kind >>> PAGE_CLASS_SHIFT
      const used = words[at + PAGE_CARVED] - words[at + PAGE_FREE_COUNT]
      const isSound =
        sizeClass < SIZE_CLASSES &&
        used >= 0 &&
        used <= spanCapacity(sizeClass) &&
        lengths[count] === spanPages(sizeClass)
      if (!isSound || words[at + PAGE_CLOSED] !== 0) staying[count] = 1
      if (!isSound) return
      sizeClasses[count] = sizeClass
      usedBlocks[count] = used
      roomInBlocks[count] = spanCapacity(sizeClass) - used
    } else if (kind === PAGE_LARGE_RUN) {
      usedBlocks[count] = 1
    } else if (kind !== PAGE_FREE_RUN) {
      lengths[count] = 1 // the table changed since the last page
      staying[count] = 1
    }
  }

  /**
   * Moves a window over the runs, and calls `visit` with its first and last run and its cost wherever it is long enough
   * and what lies in it would find room outside of it.
   */
  private slide(pages: number, visit: (first: number, last: number, cost: number) => void): void {
    this.windowPages = 0
    this.windowCost = 0
    this.crowded = 0
    this.windowUsed.fill(0)
    this.windowRoom.fill(0)
    let first = 0
    for (let unit = 0; unit < this.count; unit++) {
      // A large run can only move into a free run, which would have served as well.
      const isLarge = sizeClasses[unit] === SIZE_CLASSES && usedBlocks[unit] > 0 && lengths[unit] >= pages
      if (staying[unit] !== 0 || isLarge) {
        for (; first < unit; first++) this.shift(first, -1)
        first = unit + 1
        continue
      }
      this.shift(unit, 1)
      while (this.windowPages - lengths[first] >= pages) this.shift(first++, -1)
      if (this.windowPages >= pages && this.crowded === 0) visit(first, unit, this.windowCost)
    }
  }

  /** Adds a run to the window, or takes it out. */
  private shift(unit: number, sign: number): void {
    const sizeClass = sizeClasses[unit]
    const isSpan = sizeClass < SIZE_CLASSES
    const blocks = isSpan ? classBlocks(sizeClass) : lengths[unit] * PAGE_BLOCKS
    this.windowPages += sign * lengths[unit]
    this.windowCost += sign * costOf(usedBlocks[unit], blocks)
    if (!isSpan) return
    this.crowded -= Number(this.isCrowded(sizeClass))
    this.windowUsed[sizeClass] += sign * usedBlocks[unit]
    this.windowRoom[sizeClass] += sign * roomInBlocks[unit]
    this.crowded += Number(this.isCrowded(sizeClass))
  }

  private isCrowded(sizeClass: number): boolean {
    return this.windowUsed[sizeClass] + this.windowRoom[sizeClass] > this.classRoom[sizeClass]
  }
}
