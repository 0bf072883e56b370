/** Counts every block of the heap: each must be in exactly one place. See docs/internals/format.md, "Heap". */
import { heapBlock, heapPages, PAGE_TABLE_BLOCK, reservePages } from '../geometry.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  FLAG_CACHE,
  HEADER_BLOCK_COUNT,
  HEADER_FLAGS,
  HEADER_HEAP,
  HEADER_HEAP_TOP,
  HEADER_PAGE_COUNT,
  HEADER_PAGE_TABLE,
  HEADER_PAGES_IN_USE,
  HEADER_PARTIAL_SPANS,
  HEADER_RUN_BINS,
  MAX_CLASS_BLOCKS,
  PAGE_BLOCKS,
  PAGE_BYTES,
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
  REGISTRY_THREADS,
  RUN_BIN_COUNT,
  SIZE_CLASSES,
  THREAD_EMPTYING,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_OWED,
} from '../layout.js'
import { classBlocks, classOf, spanCapacity, spanPages, binOf } from '../size-classes.js'
import type { Job } from '../../base/slices.js'
import type { Problems } from './problems.js'
import type { Region } from '../region.js'
import { threadRecordAt } from '../thread-record.js'

/** Larger blocks may be runs of pages of their own. */
const LEAST_RUN_BLOCKS = 512

/** Runs that are looked at in a step. */
const STEP_WORK = 512

/** The uses of blocks that may lie in a cache's reserve. */
const MAY_BE_RESERVED = new Set(['entry', 'free block', 'owed block', 'owed run'])

/**
 * Counts all blocks. Call {@link HeapAudit.readPages} first, then {@link HeapAudit.claim} for every block that the map
 * uses, then {@link HeapAudit.finish}, which claims the free blocks and reports the unclaimed ones.
 */
export class HeapAudit {
  private readonly words: Int32Array
  private readonly table: number
  private readonly pageCount: number
  private readonly firstBlock: number
  private readonly top: number
  /** First heap block of a cache's reserve. */
  private readonly reserve: number
  /** One bit for each heap block: whether it is the first of a claimed one. */
  private readonly claimed: Uint8Array
  private readonly spans: number[] = []
  private readonly largeRuns: number[] = []
  private readonly freeRuns: number[] = []

  constructor(
    region: Region,
    private readonly problems: Problems,
  ) {
    this.words = region.words
    this.table = PAGE_TABLE_BLOCK * BLOCK_WORDS
    this.pageCount = heapPages(this.words.byteLength)
    this.firstBlock = heapBlock(this.words.byteLength)
    this.top = this.words[HEADER_HEAP_TOP]
    const isCache = (this.words[HEADER_FLAGS] & FLAG_CACHE) !== 0
    this.reserve = (this.pageCount - (isCache ? reservePages(this.pageCount) : 0)) * PAGE_BLOCKS
    this.claimed = new Uint8Array((this.pageCount * PAGE_BLOCKS) / 8)
  }

  /** Divides the used pages into spans, large runs and free runs. */
  *readPages(): Job<void> {
    const isConsistent =
      this.words[HEADER_BLOCK_COUNT] === this.words.length / BLOCK_WORDS &&
      this.words[HEADER_PAGE_TABLE] === PAGE_TABLE_BLOCK &&
      this.words[HEADER_PAGE_COUNT] === this.pageCount &&
      this.words[HEADER_HEAP] === this.firstBlock
    if (!isConsistent) this.problems.add(`the header is not that of a region of ${this.words.byteLength} bytes`)
    if (this.top < 0 || this.top > this.pageCount) {
      this.problems.add(`the heap's top is ${this.top} of ${this.pageCount} pages`)
      return
    }
    let inUse = 0
    let steps = 0
    for (let page = 0; page < this.top;) {
      const kind = this.field(page, PAGE_KIND) & 0xff
      const length = this.field(page, PAGE_RUN)
      const isFirst = kind === PAGE_SPAN || kind === PAGE_LARGE_RUN || kind === PAGE_FREE_RUN
      if (!isFirst || length <= 0 || length > this.top - page) {
        this.problems.add(`page ${page} has kind ${kind} and length ${length}, but should begin a run`)
        return
      }
      if (kind === PAGE_SPAN) this.readSpan(page, length)
      else if (kind === PAGE_LARGE_RUN) this.readLargeRun(page, length)
      else this.readFreeRun(page, length)
      if (kind !== PAGE_FREE_RUN) inUse += length
      page += length
      steps++
      if (steps % STEP_WORK === 0) yield STEP_WORK
    }
    for (let page = this.top; page < this.pageCount; page++) this.expectField(page, PAGE_KIND, PAGE_INSIDE)
    if (inUse !== this.words[HEADER_PAGES_IN_USE]) {
      this.problems.add(`${inUse} pages are in use, ${this.words[HEADER_PAGES_IN_USE]} are counted`)
    }
  }

  /** Claims as {@link HeapAudit.claim} does, but a run of pages, of any length. */
  claimPages(block: number, pages: number, use: string): boolean {
    const index = block - this.firstBlock
    const page = index >> 8
    const isRun =
      index >= 0 &&
      page < this.top &&
      index === page * PAGE_BLOCKS &&
      this.field(page, PAGE_KIND) === PAGE_LARGE_RUN &&
      this.field(page, PAGE_RUN) === pages
    if (isRun) return this.mark(index, use)
    this.problems.add(`${use} ${block} of ${pages} pages is no run of the heap`)
    return false
  }

  /** Notes that `block`, of `bytes` bytes, is used. Returns false if it is not such a block, or used twice. */
  claim(block: number, bytes: number, use: string): boolean {
    const index = block - this.firstBlock
    const page = index >> 8
    const isInHeap = index >= 0 && page < this.top
    if (!isInHeap || !this.isBlock(page, index, Math.ceil(bytes / BLOCK_BYTES))) {
      this.problems.add(`${use} ${block} of ${bytes} bytes is no block of the heap`)
      return false
    }
    return this.mark(index, use)
  }

  /** Claims the blocks of the free lists, of threads and of spans, and looks for unclaimed blocks. */
  *finish(): Job<void> {
    for (let record = 0; record < REGISTRY_THREADS; record++) {
      this.claimCaches(threadRecordAt(record))
      yield SIZE_CLASSES
    }
    let partial = 0
    for (const span of this.spans) {
      this.claimFreeList(span)
      const sizeClass = this.classOfSpan(span)
      const carved = this.field(span, PAGE_CARVED)
      const hasRoom = this.field(span, PAGE_FREE_COUNT) > 0 || carved < spanCapacity(sizeClass)
      if (this.field(span, PAGE_CLOSED) !== 0) this.checkClosed(span)
      else if (hasRoom) partial++
      for (let piece = 0; piece < carved && !this.problems.isFull; piece++) {
        const index = span * PAGE_BLOCKS + piece * classBlocks(sizeClass)
        if (!this.isMarked(index)) this.problems.add(`block ${this.firstBlock + index} is lost`)
      }
      yield carved + 1
    }
    for (const run of this.largeRuns) {
      if (!this.isMarked(run * PAGE_BLOCKS)) this.problems.add(`large run at page ${run} is lost`)
    }
    yield* this.checkPartialLists(partial)
    yield* this.checkRunBins()
  }

  private readSpan(page: number, length: number): void {
    const sizeClass = this.classOfSpan(page)
    if (sizeClass >= SIZE_CLASSES || length !== spanPages(sizeClass)) {
      this.problems.add(`span at page ${page} has class ${sizeClass} and ${length} pages`)
      return
    }
    for (let later = page + 1; later < page + length; later++) {
      this.expectField(later, PAGE_KIND, PAGE_SPAN_LATER)
      this.expectField(later, PAGE_RUN, page)
    }
    const carved = this.field(page, PAGE_CARVED)
    if (carved < 0 || carved > spanCapacity(sizeClass))
      this.problems.add(`span at page ${page} carved ${carved} blocks`)
    else this.spans.push(page)
  }

  private readLargeRun(page: number, length: number): void {
    for (let later = page + 1; later < page + length; later++) this.expectField(later, PAGE_KIND, PAGE_INSIDE)
    this.largeRuns.push(page)
  }

  private readFreeRun(page: number, length: number): void {
    const end = page + length - 1
    for (let later = page + 1; later < end; later++) this.expectField(later, PAGE_KIND, PAGE_INSIDE)
    if (length > 1) {
      this.expectField(end, PAGE_KIND, PAGE_FREE_RUN_END)
      this.expectField(end, PAGE_RUN, page)
    }
    const before = this.freeRuns.at(-1)
    const isAfterFree = before !== undefined && before + this.field(before, PAGE_RUN) === page
    if (isAfterFree || end + 1 === this.top)
      this.problems.add(`free run at page ${page} was not joined with its neighbour`)
    this.freeRuns.push(page)
  }

  /** Returns whether a block of `blocks` blocks can begin at heap block `index`. */
  private isBlock(page: number, index: number, blocks: number): boolean {
    const kind = this.field(page, PAGE_KIND) & 0xff
    if (blocks > MAX_CLASS_BLOCKS || (blocks > LEAST_RUN_BLOCKS && kind === PAGE_LARGE_RUN)) {
      const pages = Math.ceil((blocks * BLOCK_BYTES) / PAGE_BYTES)
      return kind === PAGE_LARGE_RUN && index === page * PAGE_BLOCKS && this.field(page, PAGE_RUN) === pages
    }
    const span = kind === PAGE_SPAN_LATER ? this.field(page, PAGE_RUN) : page
    const isSpan = span >= 0 && span <= page && (this.field(span, PAGE_KIND) & 0xff) === PAGE_SPAN
    return isSpan && this.classOfSpan(span) === classOf(blocks) && this.isPiece(span, index)
  }

  /** Returns whether heap block `index` is the first of a piece that was carved from the span. */
  private isPiece(span: number, index: number): boolean {
    const offset = index - span * PAGE_BLOCKS
    const size = classBlocks(this.classOfSpan(span))
    return offset >= 0 && offset % size === 0 && offset / size < this.field(span, PAGE_CARVED)
  }

  private claimCaches(record: number): void {
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      const count = this.words[record + THREAD_FREE_COUNTS + sizeClass]
      this.claimList(this.words[record + THREAD_FREE_HEADS + sizeClass], count, sizeClass, 'cached block')
    }
    let owed = this.words[record + THREAD_OWED]
    while (owed !== 0 && this.claimOwed(owed)) owed = this.words[owed * BLOCK_WORDS]
  }

  /** Claims a block of any size, or a run of pages, that a thread could not give back yet. */
  private claimOwed(block: number): boolean {
    const page = (block - this.firstBlock) >> 8
    if (block < this.firstBlock || page >= this.top) return this.claim(block, 0, 'owed block')
    const kind = this.field(page, PAGE_KIND) & 0xff
    if (kind === PAGE_LARGE_RUN) return this.claimPages(block, this.field(page, PAGE_RUN), 'owed run')
    const sizeClass = this.classOfSpan(kind === PAGE_SPAN_LATER ? this.field(page, PAGE_RUN) : page)
    return this.claim(block, classBlocks(sizeClass) * BLOCK_BYTES, 'owed block')
  }

  /** Checks that a thread's record names a closed span: that thread opens it again. */
  private checkClosed(span: number): void {
    for (let record = 0; record < REGISTRY_THREADS; record++) {
      if (this.words[threadRecordAt(record) + THREAD_EMPTYING] === span + 1) return
    }
    this.problems.add(`span at page ${span} is closed, but no thread empties it`)
  }

  private claimFreeList(span: number): void {
    const count = this.field(span, PAGE_FREE_COUNT)
    this.claimList(this.field(span, PAGE_FREE_HEAD), count, this.classOfSpan(span), 'free block')
  }

  private claimList(head: number, count: number, sizeClass: number, use: string): void {
    let block = head
    for (let i = 0; i < count; i++) {
      if (!this.claim(block, classBlocks(sizeClass) * BLOCK_BYTES, use)) return
      block = this.words[block * BLOCK_WORDS]
    }
    if (block !== 0) this.problems.add(`a list of ${use}s of class ${sizeClass} is longer than its count of ${count}`)
  }

  private *checkPartialLists(expected: number): Job<void> {
    let listed = 0
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      for (const page of this.walk(HEADER_PARTIAL_SPANS + sizeClass)) {
        const isSpan = (this.field(page, PAGE_KIND) & 0xff) === PAGE_SPAN && this.classOfSpan(page) === sizeClass
        const isFull =
          this.field(page, PAGE_FREE_COUNT) === 0 && this.field(page, PAGE_CARVED) === spanCapacity(sizeClass)
        if (!isSpan || isFull) this.problems.add(`page ${page} is in the list of spans of class ${sizeClass} with room`)
        listed++
        if (listed % STEP_WORK === 0) yield STEP_WORK
      }
    }
    if (listed !== expected) this.problems.add(`${expected} spans have room, ${listed} are listed`)
  }

  private *checkRunBins(): Job<void> {
    let listed = 0
    for (let bin = HEADER_RUN_BINS; bin < HEADER_RUN_BINS + RUN_BIN_COUNT; bin++) {
      for (const page of this.walk(bin)) {
        const isFree = this.field(page, PAGE_KIND) === PAGE_FREE_RUN
        if (!isFree || binOf(this.field(page, PAGE_RUN)) !== bin) {
          this.problems.add(`page ${page} is in bin ${bin - HEADER_RUN_BINS} of free runs`)
        }
        listed++
        if (listed % STEP_WORK === 0) yield STEP_WORK
      }
    }
    if (listed !== this.freeRuns.length) {
      this.problems.add(`${this.freeRuns.length} runs are free, ${listed} are listed`)
    }
  }

  /** Yields the pages of a doubly linked list. */
  private *walk(list: number): Generator<number> {
    let previous = 0
    let link = this.words[list]
    for (let steps = 0; link !== 0; steps++) {
      const page = link - 1
      if (page < 0 || page >= this.top || steps > this.pageCount) {
        this.problems.add(`the list at header word ${list} leads to page ${page}`)
        return
      }
      this.expectField(page, PAGE_PREVIOUS, previous)
      yield page
      previous = link
      link = this.field(page, PAGE_NEXT)
    }
  }

  private mark(index: number, use: string): boolean {
    if (index >= this.reserve && !MAY_BE_RESERVED.has(use))
      this.problems.add(`${use} ${this.firstBlock + index} lies in the reserve`)
    if (this.isMarked(index)) {
      this.problems.add(`${use} ${this.firstBlock + index} is used twice`)
      return false
    }
    this.claimed[index >> 3] |= 1 << (index & 7)
    return true
  }

  private isMarked(index: number): boolean {
    return (this.claimed[index >> 3] & (1 << (index & 7))) !== 0
  }

  private classOfSpan(page: number): number {
    return (this.field(page, PAGE_KIND) >>> PAGE_CLASS_SHIFT) & 0xff
  }

  private field(page: number, field: number): number {
    return this.words[this.table + page * PAGE_ENTRY_WORDS + field]
  }

  private expectField(page: number, field: number, expected: number): void {
    const found = this.field(page, field)
    if (found !== expected) this.problems.add(`page ${page} word ${field} is ${found}, expected ${expected}`)
  }
}
