/** Repairs what the deaths of threads left behind: wrong counts and unreachable blocks. */
import {
  CHUNK_NEXT,
  HEADER_EVICTION,
  PARTITION_CHUNKS,
  PARTITION_GHOST_BUCKETS,
  PARTITION_GHOSTS,
  ALL_BUCKETS,
  BLOCK_BYTES,
  BLOCK_WORDS,
  DIRECTORY_PREVIOUS,
  ENTRY_DATA,
  HEADER_DEATHS,
  HEADER_DIRECTORY,
  HEADER_HEAP_MUTEX,
  HEADER_HEAP_TOP,
  HEADER_LABEL_TABLES,
  LABEL_LEVELS,
  HEADER_SHAPE_CHUNKS,
  PAGE_BYTES,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_FREE_COUNT,
  PAGE_FREE_HEAD,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_RUN,
  PAGE_SPAN,
  REGISTRY_THREADS,
  SEGMENT_TOMBSTONES,
  SHAPE_CHUNKS,
  SIZE_CLASSES,
  SLOTS_PER_BUCKET,
  THREAD_EMPTYING,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_INCARNATION,
  THREAD_KERNEL_ID,
  THREAD_OWED,
  THREAD_WRITE_SLOT,
  HEADER_GONE_SEGMENTS,
  SEGMENT_NEXT,
  HEADER_LEAVING_SEGMENTS,
  HEADER_GONE_CHUNKS,
  HEADER_LEAVING_CHUNKS,
} from '../../../format/layout.js'
import { CORRUPT, DONE, NOT_DONE, TIMEOUT, type RepairReport } from '../../engine.js'
import { Backoff } from '../threads/backoff.js'
import { feedRing } from '../../../format/feed.js'
import { bucketAt, TOMBSTONE_BIT, loadSlot } from '../../../format/bucket.js'
import { partitionsOf } from '../../../format/eviction-area.js'
import type { Core } from '../core.js'
import { Heap } from '../memory/heap.js'
import { classBlocks, spanCapacity, spanPages } from '../../../format/size-classes.js'
import { isLease } from '../../../format/lease.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { pairsOf, type Region } from '../../../format/region.js'
import { holdEverything, releaseHeld } from '../write/restructure.js'
import { takeOverFromDead } from '../threads/takeover.js'
import { threadRecordAt, sumOfSizeDeltas } from '../../../format/thread-record.js'

type Report = { -readonly [Name in keyof RepairReport]: RepairReport[Name] }

/**
 * Repairs a region. Ends with status DONE; with TIMEOUT or CORRUPT, the repairs made by then stay. Writers wait
 * meanwhile, readers do not. It looks for lost blocks only if no other thread is attached, since another thread may
 * just be building an entry in one. O(entries + blocks).
 */
export function repair(core: Core): RepairReport {
  const { words } = core
  const report: Report = {
    deadThreads: 0,
    sizeCorrection: 0,
    segmentsCorrected: 0,
    blocksFreed: 0,
    bytesFreed: 0,
    hasLookedForLeaks: false,
  }
  const deaths = Atomics.load(words, HEADER_DEATHS)
  takeOverFromDead(words)
  core.blocks.flush()
  const held: number[] = []
  try {
    // Done before any segment is held: partitions come first in the order of locks.
    let status = core.evictor?.repair() ?? DONE
    if (status === DONE) status = holdEverything(core, held)
    if (status === DONE) status = repairHeld(core, held, report)
    core.end(status)
  } finally {
    for (const segment of held) releaseHeld(core, segment)
    core.thread.clearClaim()
  }
  report.deadThreads = Atomics.load(words, HEADER_DEATHS) - deaths
  return report
}

function repairHeld(core: Core, segments: readonly number[], report: Report): number {
  const { words, thread, budget } = core
  if (!awaitCounts(core)) return TIMEOUT
  const live = count(core, segments, report)
  report.sizeCorrection = (live - sumOfSizeDeltas(words)) | 0
  thread.addSize(report.sizeCorrection)
  if (!lockMutex(budget, HEADER_HEAP_MUTEX)) return TIMEOUT
  const hunted = new LeakHunt(core.region).run(segments, report)
  unlockMutex(words, HEADER_HEAP_MUTEX)
  report.hasLookedForLeaks = hunted === DONE
  return hunted === CORRUPT ? CORRUPT : DONE
}

/** Waits until no write is between changing its slot and counting that. No further write can begin. */
function awaitCounts(core: Core): boolean {
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const backoff = Backoff.forWrite(core.budget, threadRecordAt(index))
    // A write that is announced, but not begun, does not count: its swap will fail.
    while (Atomics.load(core.words, threadRecordAt(index) + THREAD_WRITE_SLOT) !== 0) {
      if (!backoff.wait()) return false
    }
  }
  return true
}

/** Counts the entries of the held segments, and corrects every segment's count of tombstones. */
function count({ words, region }: Core, segments: readonly number[], report: Report): number {
  let live = 0
  for (const segment of segments) {
    let tombstones = 0
    for (let index = 0; index < ALL_BUCKETS; index++) {
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
        const reference = loadSlot(words, bucketAt(segment, index), slot)
        if (reference < 0) tombstones++
        else if (region.contains(reference, ENTRY_DATA) && !isLease(words, reference)) live++
      }
    }
    const counted = segment * BLOCK_WORDS + SEGMENT_TOMBSTONES
    if (Atomics.exchange(words, counted, tombstones) !== tombstones) report.segmentsCorrected++
  }
  return live
}

interface Leak {
  readonly block: number
  /** Size class; SIZE_CLASSES for a run of pages. */
  readonly sizeClass: number
  readonly bytes: number
}

/**
 * Finds the blocks that nothing leads to. Needs every segment held, the heap mutex, and that no other thread is
 * attached: a thread that came meanwhile may have taken a block out of a free list before this one looked there, and
 * then nothing is done.
 */
class LeakHunt {
  private readonly words: Int32Array
  private readonly heap: Heap
  /** A bit for each block: whether it is the first of a used or free block or run. */
  private readonly known: Uint8Array
  private readonly leaks: Leak[] = []

  constructor(private readonly region: Region) {
    this.words = region.words
    this.heap = new Heap(region)
    this.known = new Uint8Array(Math.ceil(region.blockCount / 8))
  }

  /**
   * Frees the lost blocks. Returns DONE; NOT_DONE if another thread is attached; or CORRUPT. Unless DONE, nothing is
   * changed.
   */
  run(segments: readonly number[], report: Report): number {
    const before = this.attendance()
    if (before.attached > 1) return NOT_DONE
    this.reopenSpans()
    if (
      !this.markDirectories() ||
      !this.markShapes() ||
      !this.markFeed() ||
      !this.markDepartures() ||
      !this.markLabelTables() ||
      !this.markEviction() ||
      !this.markEntries(segments) ||
      !this.markCaches() ||
      !this.surveyPages()
    ) {
      return CORRUPT
    }
    const after = this.attendance()
    if (after.attached !== before.attached || after.incarnations !== before.incarnations) return NOT_DONE
    for (const { block, sizeClass, bytes } of this.leaks) {
      if (sizeClass < SIZE_CLASSES) this.heap.give(sizeClass, block)
      else this.heap.giveRun(block)
      this.heap.commit()
      report.blocksFreed++
      report.bytesFreed += bytes
    }
    return DONE
  }

  /** Returns how many threads are attached, and a number that changes when one comes. */
  private attendance(): { readonly attached: number; readonly incarnations: number } {
    const pairs = pairsOf(this.words)
    let attached = 0
    let incarnations = 0
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      const at = threadRecordAt(index)
      if (Atomics.load(pairs, (at + THREAD_KERNEL_ID) / 2) !== 0n) attached++
      incarnations += Atomics.load(this.words, at + THREAD_INCARNATION)
    }
    return { attached, incarnations }
  }

  /** Opens the spans that threads were emptying when they died. */
  private reopenSpans(): void {
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      const emptying = threadRecordAt(index) + THREAD_EMPTYING
      if (this.words[emptying] === 0) continue
      this.heap.reopen(emptying)
      this.heap.commit()
    }
  }

  private isKnown(block: number): boolean {
    return (this.known[block >> 3] & (1 << (block & 7))) !== 0
  }

  /** Marks a block. Returns false if no block can have this number, or it was marked before. */
  private mark(block: number): boolean {
    if (!this.region.contains(block, BLOCK_WORDS) || this.isKnown(block)) return false
    this.known[block >> 3] |= 1 << (block & 7)
    return true
  }

  private markDirectories(): boolean {
    let array = this.words[HEADER_DIRECTORY]
    for (; array !== 0; array = this.words[array * BLOCK_WORDS + DIRECTORY_PREVIOUS])
      if (!this.mark(array)) return false
    return true
  }

  private markShapes(): boolean {
    for (let chunk = 0; chunk < SHAPE_CHUNKS; chunk++) {
      const block = this.words[HEADER_SHAPE_CHUNKS + chunk]
      if (block !== 0 && !this.mark(block)) return false
    }
    return true
  }

  private markLabelTables(): boolean {
    for (let level = 0; level < LABEL_LEVELS; level++) {
      const table = this.words[HEADER_LABEL_TABLES + level]
      if (table !== 0 && !this.mark(table)) return false
    }
    return true
  }

  private markFeed(): boolean {
    const ring = feedRing(this.region)
    return ring === 0 || this.mark(ring / BLOCK_WORDS)
  }

  /** Marks what waits for all threads to look away. */
  private markDepartures(): boolean {
    return (
      this.markChain(this.words[HEADER_GONE_SEGMENTS], SEGMENT_NEXT) &&
      this.markChain(this.words[HEADER_LEAVING_SEGMENTS], SEGMENT_NEXT) &&
      this.markChain(this.words[HEADER_GONE_CHUNKS], CHUNK_NEXT) &&
      this.markChain(this.words[HEADER_LEAVING_CHUNKS], CHUNK_NEXT)
    )
  }

  private markEviction(): boolean {
    const { words } = this
    const partitions = partitionsOf(this.region)
    if (partitions.length > 0 && !this.mark(words[HEADER_EVICTION])) return false
    for (const at of partitions) {
      if (words[at + PARTITION_GHOST_BUCKETS] !== 0 && !this.mark(words[at + PARTITION_GHOSTS])) return false
      let chunk = words[at + PARTITION_CHUNKS]
      for (; chunk !== 0; chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]) if (!this.mark(chunk)) return false
    }
    return true
  }

  private markEntries(segments: readonly number[]): boolean {
    for (const segment of segments) {
      if (!this.mark(segment)) return false
      for (let index = 0; index < ALL_BUCKETS; index++) {
        for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
          const reference = loadSlot(this.words, bucketAt(segment, index), slot)
          if (reference !== 0 && !this.mark(reference & ~TOMBSTONE_BIT)) return false
        }
      }
    }
    return true
  }

  private markCaches(): boolean {
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      const at = threadRecordAt(index)
      for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
        const head = this.words[at + THREAD_FREE_HEADS + sizeClass]
        if (!this.markList(head, this.words[at + THREAD_FREE_COUNTS + sizeClass])) return false
      }
      if (!this.markChain(this.words[at + THREAD_OWED])) return false
    }
    return true
  }

  /** Marks a chain of blocks whose word `link` leads to the next. In a circle, it meets a marked block. */
  private markChain(head: number, link = 0): boolean {
    for (let block = head; block !== 0; block = this.words[block * BLOCK_WORDS + link])
      if (!this.mark(block)) return false
    return true
  }

  private markList(head: number, length: number): boolean {
    for (let block = head, left = length; left > 0; left--) {
      if (!this.mark(block)) return false
      block = this.words[block * BLOCK_WORDS]
    }
    return true
  }

  private surveyPages(): boolean {
    const top = this.words[HEADER_HEAP_TOP]
    if (top < 0 || top > this.heap.pageCount) return false
    for (let page = 0; page < top;) {
      const at = this.heap.descriptor(page)
      const kind = this.words[at + PAGE_KIND]
      const run = this.words[at + PAGE_RUN]
      if (run <= 0 || run > top - page) return false
      if ((kind & 0xff) === PAGE_SPAN) {
        if (!this.surveySpan(page, run, kind >>> PAGE_CLASS_SHIFT)) return false
      } else if (kind === PAGE_LARGE_RUN && !this.isKnown(this.heap.blockOf(page))) {
        this.leaks.push({ block: this.heap.blockOf(page), sizeClass: SIZE_CLASSES, bytes: run * PAGE_BYTES })
      }
      page += run
    }
    return true
  }

  private surveySpan(page: number, run: number, sizeClass: number): boolean {
    const at = this.heap.descriptor(page)
    const carved = this.words[at + PAGE_CARVED]
    if (sizeClass >= SIZE_CLASSES || carved < 0 || carved > spanCapacity(sizeClass)) return false
    if (run !== spanPages(sizeClass)) return false // otherwise the span's blocks might lie outside the heap
    if (!this.markList(this.words[at + PAGE_FREE_HEAD], this.words[at + PAGE_FREE_COUNT])) return false
    const blocks = classBlocks(sizeClass)
    for (let i = 0; i < carved; i++) {
      const block = this.heap.blockOf(page) + i * blocks
      if (!this.isKnown(block)) this.leaks.push({ block, sizeClass, bytes: blocks * BLOCK_BYTES })
    }
    return true
  }
}
