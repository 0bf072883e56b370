import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  FLAG_CACHE,
  HEADER_FLAGS,
  HEADER_HEAP_MUTEX,
  HEADER_PAGES_IN_USE,
  HEADER_RECALL,
  MAX_CLASS_BLOCKS,
  PAGE_BYTES,
  PAGE_CLASS_SHIFT,
  PAGE_KIND,
  SIZE_CLASSES,
} from '../../../format/layout.js'
import { CORRUPT, FULL, TIMEOUT } from '../../engine.js'
import { reserveMutexAt } from '../../../format/eviction-area.js'
import { ANYWHERE, FIXED, Heap, OUTSIDE_RESERVE } from './heap.js'
import { classBlocks, classOf, spanPages } from '../../../format/size-classes.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { WEAKLY_ORDERED, type Region } from '../../../format/region.js'
import type { ThreadRecord } from '../threads/thread-record.js'
import { LITTLE_PATIENCE, type WaitBudget } from '../threads/wait-budget.js'

const MAX_CLASS_BYTES = MAX_CLASS_BLOCKS * BLOCK_BYTES
/** Pages that an empty map needs for itself: a span of segments and a span of small directory arrays. */
const EMPTY_MAP_PAGES = 16
/**
 * Bytes of blocks moved between free list and heap at once: enough to make the mutex cheap, few enough to strand little
 * memory.
 */
const BATCH_BYTES = 8192
const MAX_BATCH = 32
/** The largest block that a free list keeps: of larger blocks, not even one is worth stranding. */
const MAX_CACHED_BYTES = 8192
/** The part of the pages that may be unused while tombstones are no longer left: an eighth. */
const TIGHT_PART = 8
/** Blocks given back under one hold of the mutex, for which other threads wait, some hundred microseconds at most. */
const MOST_GIVEN = 256

const batches = new Int32Array(SIZE_CLASSES)
const cacheLimits = new Int32Array(SIZE_CLASSES)
for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
  const bytes = classBlocks(sizeClass) * BLOCK_BYTES
  batches[sizeClass] = Math.min(Math.max(Math.floor(BATCH_BYTES / bytes), 1), MAX_BATCH)
  cacheLimits[sizeClass] = bytes > MAX_CACHED_BYTES ? 0 : 2 * batches[sizeClass]
}

/**
 * Returns the number of pages that must lie together for a block of `bytes` bytes if there is no room for it in a span:
 * those of a span, but for a block of a large class a run of its own.
 */
export function pagesForBlock(bytes: number): number {
  const isClass = bytes <= MAX_CLASS_BYTES
  const sizeClass = isClass ? classOf((bytes + BLOCK_BYTES - 1) >> 4) : -1
  return isClass && cacheLimits[sizeClass] > 0 ? spanPages(sizeClass) : Math.ceil(bytes / PAGE_BYTES)
}

/**
 * A thread's free lists, kept in its thread record: so `verify()` counts their blocks, and those of a dead thread can
 * be found. They hold no blocks of a cache's reserve: those are taken and given back one by one.
 *
 * Memory that is freed while the heap mutex cannot be taken stays with the thread record: blocks in the free lists, and
 * page runs and blocks of the reserve, which a free list must not hold, in a list of owed memory. That goes back in
 * small portions, each time that the thread, or the next one with the record, has the mutex again.
 *
 * Thread safety: owner only, so plain loads and stores are enough. Takes the heap mutex once a batch.
 */
export class FreeLists {
  /** Bytes that this thread has freed since it attached. */
  freedBytes = 0
  /** Whether most pages were in use when this thread last had the heap's mutex. Then what is deleted is wanted at once. */
  isTight = false

  private readonly words: Int32Array
  private readonly heap: Heap
  private readonly mostBytes: number
  private readonly reserveMutex: number
  /** The last recall that was heeded. */
  private recall: number
  /** Whether the span that the record names is in use. */
  private isEmptying = false

  constructor(
    private readonly region: Region,
    private readonly thread: ThreadRecord,
    private readonly budget: WaitBudget,
  ) {
    this.words = region.words
    this.heap = new Heap(region)
    this.reserveMutex = reserveMutexAt(region)
    this.recall = this.words[HEADER_RECALL]
    const reserved = this.heap.pageCount - this.heap.reservePage
    const isCache = (this.words[HEADER_FLAGS] & FLAG_CACHE) !== 0
    this.mostBytes = (isCache ? reserved : this.heap.pageCount - EMPTY_MAP_PAGES) * PAGE_BYTES
  }

  /**
   * Returns a block for `bytes` bytes, or the status FULL, TIMEOUT or CORRUPT.
   * @param place where the block may be: ANYWHERE only for entries that can be evicted
   */
  allocate(bytes: number, place = OUTSIDE_RESERVE): number {
    if (this.words[HEADER_RECALL] !== this.recall) this.heedRecall()
    if (bytes > MAX_CLASS_BYTES) return this.allocatePages(Math.ceil(bytes / PAGE_BYTES), place)
    const sizeClass = classOf((bytes + BLOCK_BYTES - 1) >> 4)
    if (this.words[this.thread.cacheHeads + sizeClass] === 0) {
      const status = this.refill(sizeClass, place)
      if (status < 0) {
        // Where there is no run for a whole span, there may be one for a single large block.
        const mayBeRun = status === FULL && cacheLimits[sizeClass] === 0
        return mayBeRun ? this.allocatePages(Math.ceil(bytes / PAGE_BYTES), place) : status
      }
    }
    return this.pop(sizeClass)
  }

  /** Takes a block from a list that has one. */
  private pop(sizeClass: number): number {
    const head = this.thread.cacheHeads + sizeClass
    const block = this.words[head]
    if (!this.region.contains(block, classBlocks(sizeClass) * BLOCK_WORDS)) return CORRUPT
    this.words[head] = this.words[block * BLOCK_WORDS]
    this.words[this.thread.cacheCounts + sizeClass]--
    return block
  }

  /**
   * Frees a block. Never fails, and hardly waits.
   * @param bytes as given to {@link FreeLists.allocate}
   */
  free(block: number, bytes: number): void {
    if (!this.region.contains(block, BLOCK_WORDS)) return
    // A reader that still sees the version from before the block was unlinked must not see the thread's next writes
    // into the block. x64 keeps stores in order.
    if (WEAKLY_ORDERED) this.thread.fence()
    if (this.words[HEADER_RECALL] !== this.recall) this.heedRecall()
    this.freedBytes += bytes
    if (bytes > MAX_CLASS_BYTES) {
      this.freePages(block)
      return
    }
    const sizeClass = classOf((bytes + BLOCK_BYTES - 1) >> 4)
    if (block >= this.heap.reserveBlock || cacheLimits[sizeClass] === 0) {
      this.freeAtOnce(block)
      return
    }
    const head = this.thread.cacheHeads + sizeClass
    const count = this.thread.cacheCounts + sizeClass
    this.words[block * BLOCK_WORDS] = this.words[head]
    this.words[head] = block
    const cached = this.words[count] + 1
    this.words[count] = cached
    if (cached > cacheLimits[sizeClass]) this.giveBack(sizeClass, Math.max(cached >> 1, 1))
  }

  /**
   * Gives all blocks of the free lists back to the heap, and spans without a used block back to the page runs, as far
   * as the heap mutex can be taken.
   */
  flush(): void {
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      for (;;) {
        const cached = this.words[this.thread.cacheCounts + sizeClass]
        if (cached === 0 || !this.giveBack(sizeClass, cached)) break
      }
    }
    if (!this.lockToGive()) return
    this.heap.releaseEmptySpans()
    this.unlock()
  }

  /**
   * Returns whether a heap that holds only an empty map could provide `bytes` bytes; in a cache, whether evictions can
   * always make room for them.
   */
  couldFit(bytes: number): boolean {
    return bytes <= this.mostBytes
  }

  /** Returns a run of whole pages, of any length, or the status FULL, TIMEOUT or CORRUPT. */
  allocatePages(pages: number, place = OUTSIDE_RESERVE): number {
    if (!this.lock()) return TIMEOUT
    const block = this.heap.takeRun(pages, this.allowed(place))
    this.unlock()
    return block
  }

  /** @param block as given by {@link FreeLists.allocatePages} */
  freePages(block: number): void {
    if (!this.lockToGive()) {
      this.owe(block)
      return
    }
    this.heap.giveRun(block)
    this.unlock()
  }

  /**
   * Closes a span that is to be emptied, so that its blocks go to no thread. It stays closed until
   * {@link FreeLists.reopenSpan}, or until all its blocks are back and it is a free run.
   */
  closeSpan(page: number): boolean {
    if (!this.lockToGive()) return false
    this.isEmptying = this.heap.close(page, this.thread.emptying)
    const sizeClass = this.words[this.heap.descriptor(page) + PAGE_KIND] >>> PAGE_CLASS_SHIFT
    this.unlock()
    // This thread's own list may have blocks of the span.
    if (this.isEmptying) this.giveBackAll(sizeClass)
    return this.isEmptying
  }

  reopenSpan(): void {
    this.isEmptying = false // from now on every call that has the mutex opens it
    if (this.lockToGive()) this.unlock()
  }

  /**
   * Returns a block for the copy of an entry, or a negative status: begins no new span, and no run with a page from
   * `avoidedFrom` up to `avoidedTo`.
   */
  allocateCopy(bytes: number, avoidedFrom: number, avoidedTo: number): number {
    const sizeClass = bytes > MAX_CLASS_BYTES ? -1 : classOf((bytes + BLOCK_BYTES - 1) >> 4)
    if (sizeClass >= 0 && cacheLimits[sizeClass] > 0) {
      const hasBlock = this.words[this.thread.cacheHeads + sizeClass] !== 0
      const status = hasBlock ? 1 : this.refillForCopies(sizeClass)
      return status > 0 ? this.pop(sizeClass) : status
    }
    if (!this.lockToGive()) return TIMEOUT
    let block = sizeClass < 0 ? FULL : this.heap.take(sizeClass, OUTSIDE_RESERVE, false)
    if (block === FULL)
      block = this.heap.takeRun(Math.ceil(bytes / PAGE_BYTES), OUTSIDE_RESERVE, avoidedFrom, avoidedTo)
    this.unlock()
    return block
  }

  private refillForCopies(sizeClass: number): number {
    const { budget } = this
    const { patience } = budget
    budget.patience = LITTLE_PATIENCE
    const status = this.refill(sizeClass, OUTSIDE_RESERVE, false)
    budget.patience = patience
    return status
  }

  /**
   * Frees the block of an entry that was moved. It goes to no list of this thread, but back to the heap: the next time
   * that this thread has the mutex, or with {@link FreeLists.giveOwed}. So a span is emptied under few holds of it.
   */
  freeMoved(block: number): void {
    if (WEAKLY_ORDERED) this.thread.fence()
    this.owe(block)
  }

  giveOwed(): void {
    if (this.words[this.thread.owed] !== 0 && this.lockToGive()) this.unlock()
  }

  /**
   * Gives back what is owed or too much in a list, and what was recalled: for a thread that may make no call for long in
   * which it would.
   */
  giveBackDue(): void {
    const { words, thread } = this
    if (words[HEADER_RECALL] !== this.recall) this.heedRecall()
    if ((words[thread.owed] | words[thread.hasExcess]) !== 0 && this.lockToGive()) this.unlock()
  }

  /** Gives back all blocks of a class that this thread keeps. */
  giveBackAll(sizeClass: number): void {
    const cached = this.words[this.thread.cacheCounts + sizeClass]
    if (cached > 0) this.giveBack(sizeClass, cached)
  }

  /** Frees as {@link FreeLists.free} does, but the block goes to no list of this thread. */
  freeAtOnce(block: number): void {
    if (WEAKLY_ORDERED) this.thread.fence()
    if (!this.lockToGive()) {
      this.owe(block)
      return
    }
    this.heap.giveAny(block)
    this.unlock()
  }

  /** Asks all threads to give back the blocks of their free lists. Each does so when it next allocates or frees. */
  recallAll(): void {
    Atomics.add(this.words, HEADER_RECALL, 1)
  }

  /** Only while this thread holds nothing of the heap; segments and buckets may be held. */
  private heedRecall(): void {
    this.recall = this.words[HEADER_RECALL]
    this.flush()
  }

  private refill(sizeClass: number, place: number, mayGrow = true): number {
    if (!this.lock()) return TIMEOUT
    const head = this.thread.cacheHeads + sizeClass
    const wanted = cacheLimits[sizeClass] === 0 ? 1 : batches[sizeClass]
    let block = 0
    let taken = 0
    for (; taken < wanted; taken++) {
      // Takes one block of the reserve at most, which the caller uses at once.
      if (taken > 0 && (block >= this.heap.reserveBlock || this.heap.isNextReserved(sizeClass))) break
      const from = taken === 0 || place === FIXED ? this.allowed(place) : OUTSIDE_RESERVE
      block = this.heap.take(sizeClass, from, mayGrow)
      if (block < 0) break
      this.heap.write(block * BLOCK_WORDS, this.words[head])
      this.heap.write(head, block)
      this.heap.commit()
    }
    this.unlock()
    this.words[this.thread.cacheCounts + sizeClass] = taken
    return taken > 0 ? taken : block
  }

  /** Keeps a block or page run until the heap mutex can be taken. */
  private owe(block: number): void {
    const { words, thread } = this
    if (!this.region.contains(block, BLOCK_WORDS)) return
    words[block * BLOCK_WORDS] = words[thread.owed]
    words[thread.owed] = block
  }

  /** Gives back owed memory, as much as one hold of the mutex allows. */
  private settle(): void {
    const { words, heap } = this
    const { owed, hasExcess, cacheCounts } = this.thread
    // A span left closed by this thread, or by one that died with this record.
    if (!this.isEmptying && words[this.thread.emptying] !== 0) {
      heap.reopen(this.thread.emptying)
      heap.commit()
    }
    let left = MOST_GIVEN
    for (; left > 0 && words[owed] !== 0; left--) {
      const block = words[owed]
      const isSound = this.region.contains(block, BLOCK_WORDS)
      heap.write(owed, isSound ? words[block * BLOCK_WORDS] : 0)
      // A block that cannot be given back is the end of a list that is a circle.
      if (!isSound || !heap.giveAny(block)) heap.write(owed, 0)
      heap.commit()
    }
    if (left === 0 || words[hasExcess] === 0) return
    words[hasExcess] = 0
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      const excess = words[cacheCounts + sizeClass] - cacheLimits[sizeClass]
      if (excess > 0) left -= this.give(sizeClass, Math.min(excess, left))
    }
    if (left === 0) words[hasExcess] = 1
  }

  /**
   * Gives back `count` blocks or fewer of a list. Returns false, and some or all stay, if the heap mutex cannot be
   * taken or the list is damaged.
   */
  private giveBack(sizeClass: number, count: number): boolean {
    if (!this.lockToGive()) {
      this.words[this.thread.hasExcess] = 1
      return false
    }
    // Locking may have given some back.
    const most = Math.min(count, this.words[this.thread.cacheCounts + sizeClass], MOST_GIVEN)
    const given = this.give(sizeClass, most)
    this.unlock()
    return given === most
  }

  /** Gives back blocks of a list under the heap mutex. Returns how many. */
  private give(sizeClass: number, count: number): number {
    const head = this.thread.cacheHeads + sizeClass
    let given = 0
    for (; given < count; given++) {
      const block = this.words[head]
      if (!this.region.contains(block, BLOCK_WORDS)) break
      this.heap.write(head, this.words[block * BLOCK_WORDS])
      const isTaken = this.heap.give(sizeClass, block)
      this.heap.commit()
      if (!isTaken) break // else a list that is a circle would be walked count times
    }
    this.words[this.thread.cacheCounts + sizeClass] -= given
    return given
  }

  /**
   * Returns the place without the reserve while another thread is gathering a long run there (see Evictor). Called
   * under the heap mutex.
   */
  private allowed(place: number): number {
    const gatherer = this.reserveMutex === 0 ? 0 : Atomics.load(this.words, this.reserveMutex)
    return place !== ANYWHERE || gatherer === 0 || gatherer === this.thread.mark ? place : OUTSIDE_RESERVE
  }

  private lock(): boolean {
    if (!lockMutex(this.budget, HEADER_HEAP_MUTEX)) return false
    const { words } = this
    const { reservePage } = this.heap
    this.isTight = words[HEADER_PAGES_IN_USE] > reservePage - Math.floor(reservePage / TIGHT_PART)
    const emptying = this.isEmptying ? 0 : words[this.thread.emptying]
    if ((words[this.thread.owed] | words[this.thread.hasExcess] | emptying) !== 0) this.settle()
    return true
  }

  /** Locks as {@link FreeLists.lock} does, for a block that can also be given back later. */
  private lockToGive(): boolean {
    const { budget } = this
    const { patience } = budget
    budget.patience = LITTLE_PATIENCE
    const isLocked = this.lock()
    budget.patience = patience
    return isLocked
  }

  private unlock(): void {
    this.heap.commit()
    unlockMutex(this.words, HEADER_HEAP_MUTEX)
  }
}
