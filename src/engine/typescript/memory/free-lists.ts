import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  FLAG_CACHE,
  HEADER_FLAGS,
  HEADER_HEAP_MUTEX,
  MAX_CLASS_BLOCKS,
  PAGE_BYTES,
  SIZE_CLASSES,
} from '../../../format/layout.js'
import { CORRUPT, TIMEOUT } from '../../engine.js'
import { reserveMutexAt } from '../../../format/eviction-area.js'
import { Heap } from './heap.js'
import { classBlocks, classOf } from '../../../format/size-classes.js'
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
  private readonly words: Int32Array
  private readonly heap: Heap
  private readonly mostBytes: number
  private readonly reserveMutex: number

  constructor(
    private readonly region: Region,
    private readonly thread: ThreadRecord,
    private readonly budget: WaitBudget,
  ) {
    this.words = region.words
    this.heap = new Heap(region)
    this.reserveMutex = reserveMutexAt(region)
    const reserved = this.heap.pageCount - this.heap.reservePage
    const isCache = (this.words[HEADER_FLAGS] & FLAG_CACHE) !== 0
    this.mostBytes = (isCache ? reserved : this.heap.pageCount - EMPTY_MAP_PAGES) * PAGE_BYTES
  }

  /**
   * Returns a block for `bytes` bytes, or the status FULL, TIMEOUT or CORRUPT.
   * @param mayBeReserved whether the block may be from a cache's reserve: true for entries that can be evicted
   */
  allocate(bytes: number, mayBeReserved = false): number {
    if (bytes > MAX_CLASS_BYTES) return this.allocatePages(Math.ceil(bytes / PAGE_BYTES), mayBeReserved)
    const sizeClass = classOf((bytes + BLOCK_BYTES - 1) >> 4)
    const head = this.thread.cacheHeads + sizeClass
    if (this.words[head] === 0) {
      const status = this.refill(sizeClass, mayBeReserved)
      if (status < 0) return status
    }
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
    if (bytes > MAX_CLASS_BYTES) {
      this.freePages(block)
      return
    }
    const sizeClass = classOf((bytes + BLOCK_BYTES - 1) >> 4)
    if (block >= this.heap.reserveBlock) {
      if (!this.lockToGive()) {
        this.owe(block)
        return
      }
      this.heap.give(sizeClass, block)
      this.unlock()
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
  allocatePages(pages: number, mayBeReserved = false): number {
    if (!this.lock()) return TIMEOUT
    const block = this.heap.takeRun(pages, mayBeReserved && this.isReserveOpen())
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

  private refill(sizeClass: number, mayBeReserved: boolean): number {
    if (!this.lock()) return TIMEOUT
    const head = this.thread.cacheHeads + sizeClass
    const wanted = cacheLimits[sizeClass] === 0 ? 1 : batches[sizeClass]
    let block = 0
    let taken = 0
    for (; taken < wanted; taken++) {
      // Takes one block of the reserve at most, which the caller uses at once.
      if (taken > 0 && (block >= this.heap.reserveBlock || this.heap.isNextReserved(sizeClass))) break
      block = this.heap.take(sizeClass, taken === 0 && mayBeReserved && this.isReserveOpen())
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
   * Returns whether no other thread is gathering a long run in the reserve (see Evictor). Called under the heap mutex.
   */
  private isReserveOpen(): boolean {
    const gatherer = this.reserveMutex === 0 ? 0 : Atomics.load(this.words, this.reserveMutex)
    return gatherer === 0 || gatherer === this.thread.mark
  }

  private lock(): boolean {
    if (!lockMutex(this.budget, HEADER_HEAP_MUTEX)) return false
    const { words } = this
    if ((words[this.thread.owed] | words[this.thread.hasExcess]) !== 0) this.settle()
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
