/**
 * Walks a region's heap and counts its blocks, to compare them with the allocator's counts. See
 * docs/internals/format.md, "Heap".
 *
 * Every block that the allocator handed out is in exactly one place: in the index, under a slot, in a list of free
 * blocks, in the eviction area or in the table of shapes. A block in none of these is lost: no write will ever get it again.
 *
 * Thread safety: writes nothing, holds up no thread, and may run while other threads write. A walk then misses blocks
 * that move meanwhile or that a thread is just filling: they are suspects, and src/inspect/lost-blocks.ts decides which
 * of them are lost. No reference that leads out of the heap is followed, and every walk ends, in a damaged region, too.
 */
import type { Job } from '../base/slices.js'
import { FreeSpace } from './free-space.js'
import { directoryBytes, depthOf, SEGMENT_WORDS } from '../format/directory.js'
import { bucketAt, TOMBSTONE_BIT } from '../format/bucket.js'
import { sizeOf, NEVER } from '../format/entry.js'
import { classBlocks, spanCapacity } from '../format/size-classes.js'
import { feedBytes, feedRing } from '../format/feed.js'
import { isLease } from '../format/lease.js'
import { Region } from '../format/region.js'
import { HASH_END } from '../format/segment.js'
import { regionTime } from '../format/region-time.js'
import { monotonic } from '../platform/system-clock.js'
import { heapBlock, heapPages, PAGE_TABLE_BLOCK } from '../format/geometry.js'
import {
  ALL_BUCKETS,
  BLOCK_BYTES,
  BLOCK_WORDS,
  BUCKET_SLOTS,
  CACHE_PARTITION_COUNT,
  CACHE_PARTITIONS,
  CHUNK_NEXT,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  ENTRY_DATA,
  HEADER_EVICTION,
  HEADER_DIRECTORY,
  HEADER_GONE_CHUNKS,
  HEADER_GONE_SEGMENTS,
  HEADER_LEAVING_CHUNKS,
  HEADER_LEAVING_SEGMENTS,
  HEADER_HEAP_TOP,
  HEADER_LABEL_TABLES,
  LABEL_LEVELS,
  HEADER_SHAPE_CHUNKS,
  MAX_DEPTH,
  PAGE_BLOCKS,
  PAGE_BYTES,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_ENTRY_WORDS,
  PAGE_FREE_COUNT,
  PAGE_FREE_HEAD,
  PAGE_FREE_RUN,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_RUN,
  PAGE_SPAN,
  PAGE_SPAN_LATER,
  PARTITION_CHUNKS,
  PARTITION_GHOSTS,
  PARTITION_WORDS,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  SEGMENT_DEPTH,
  SEGMENT_NEXT,
  SHAPE_CHUNKS,
  SIZE_CLASSES,
  SLOTS_PER_BUCKET,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_OWED,
} from '../format/layout.js'
import { threadRecordAt } from '../format/thread-record.js'
import { expiryOf } from '../format/expiry.js'
import { labelTableBytes } from '../format/labels.js'

/** Most suspects that are listed; further ones are left out. */
const MAX_SUSPECTS = 65_536
/** Times that a list is read again at most, because its owner changed it meanwhile. */
const LIST_TRIES = 16
/** The greatest length of a list of free blocks. (A damaged list may be a circle.) */
const MAX_LIST = 65_536
/** A number of partitions that no eviction area exceeds. */
const MAX_PARTITIONS = 1024
/** Most segments that are walked again because they have changed their range, in a damaged region without end. */
const MAX_AGAIN = 1024
/** What looking at a segment or at a thread's lists of free blocks counts for, in entries. */
const SEGMENT_WORK = ALL_BUCKETS * SLOTS_PER_BUCKET
const RECORD_WORK = 128

/**
 * The result of a walk over a region. While other threads write, blocks that move meanwhile may be missing or counted
 * twice.
 */
export interface Census {
  /** Number of entries that a reader finds. */
  readonly live: number
  /** Slots of deleted entries, and of expired ones, that are not cleaned up yet. */
  readonly tombstones: number
  readonly expired: number
  /** Bytes of headers, keys and values of live entries. */
  readonly bytesLive: number
  /** Bytes of segments, directory arrays, including replaced arrays, and tables of tags. */
  readonly bytesIndex: number
  /** Bytes of a cache's eviction area: some 40 for each entry that there was room for, of any size. */
  readonly bytesEviction: number
  /** Bytes of the table of shapes. */
  readonly bytesShapes: number
  /**
   * Bytes of the blocks and page runs that the allocator handed out and has not turned back into whole free pages. At
   * rest, they are the sum of the next three, unless memory was lost.
   */
  readonly bytesAllocated: number
  /** Bytes of those blocks to which the index, the slots, the eviction area and the table of shapes lead. */
  readonly bytesReached: number
  /** Bytes of those blocks in lists of free blocks, of the heap and of single threads. */
  readonly bytesFree: number
  readonly bytesCached: number
  /** Bytes of the largest entry for which there is room now, and if the blocks of each size class lay together. */
  readonly largest: number
  readonly largestIfCompacted: number
  /** Number of free runs of pages. */
  readonly freeRuns: number
  /** Blocks that the walk met in no place. */
  readonly suspects: ReadonlyMap<number, Suspect>
}

/** A block that the walk met in no place. */
export interface Suspect {
  readonly bytes: number
  /**
   * Fingerprint of the block's first words. It changes when the block is used or freed, since the block then gets
   * another link or version.
   */
  readonly print: number
}

/**
 * Walks the region, a segment, a thread's lists or a span a step. O(slots + free blocks) in time, and a bit for each 16
 * bytes in use in memory. If this thread does something else between two steps, the walk misses blocks that move
 * meanwhile, even where no other thread has the map open.
 *
 * @param time the region's time by which entries have expired. Default: the present time
 */
export function* takingCensus(words: Int32Array, time?: number): Job<Census> {
  const region = new Region(words.buffer)
  const walk = new Walk(region, time ?? regionTime(region.doubles, monotonic()))
  yield* walk.run()
  const { largest, largestIfCompacted, runs } = walk.free
  return { ...walk.found, largest, largestIfCompacted, freeRuns: runs, suspects: walk.suspects }
}

class Walk {
  readonly found = {
    live: 0,
    tombstones: 0,
    expired: 0,
    bytesLive: 0,
    bytesIndex: 0,
    bytesEviction: 0,
    bytesShapes: 0,
    bytesAllocated: 0,
    bytesReached: 0,
    bytesFree: 0,
    bytesCached: 0,
  }
  readonly suspects = new Map<number, Suspect>()
  readonly free = new FreeSpace()
  private readonly words: Int32Array
  private readonly table = PAGE_TABLE_BLOCK * BLOCK_WORDS
  private readonly firstBlock: number
  private readonly top: number
  /** One bit for each heap block: whether a block that was met begins there. */
  private readonly met: Uint8Array

  constructor(
    private readonly region: Region,
    private readonly time: number,
  ) {
    this.words = region.words
    const bytes = this.words.byteLength
    this.firstBlock = heapBlock(bytes)
    this.top = Math.min(Atomics.load(this.words, HEADER_HEAP_TOP) >>> 0, heapPages(bytes))
    this.met = new Uint8Array((this.top * PAGE_BLOCKS) / 8)
  }

  *run(): Job<void> {
    yield* this.walkIndex()
    yield this.walkDirectories()
    this.meetFeed()
    this.walkLabelTables()
    yield* this.walkEvictionArea()
    yield this.walkGone()
    yield this.walkShapes()
    yield* this.walkFreeLists()
    yield* this.walkPages()
    this.free.addRun(heapPages(this.words.byteLength) - this.top)
  }

  /** Returns the bytes of the block or page run that begins at `block`; 0 if none does. */
  private bytesOf(block: number): number {
    const index = block - this.firstBlock
    const page = index >> 8
    if (index < 0 || page >= this.top) return 0
    const kind = this.field(page, PAGE_KIND)
    if ((kind & 0xff) === PAGE_LARGE_RUN) {
      return index === page * PAGE_BLOCKS ? Math.min(this.field(page, PAGE_RUN) >>> 0, this.top) * PAGE_BYTES : 0
    }
    const span = (kind & 0xff) === PAGE_SPAN_LATER ? this.field(page, PAGE_RUN) : page
    const sizeClass = this.classOf(span)
    if (sizeClass < 0) return 0
    const blocks = classBlocks(sizeClass)
    return (index - span * PAGE_BLOCKS) % blocks === 0 ? blocks * BLOCK_BYTES : 0
  }

  /** Walks in the order of hashes, which no split changes, and looks at the directory anew in each step. */
  private *walkIndex(): Job<void> {
    let again = MAX_AGAIN
    for (let hash = 0; hash < HASH_END;) {
      const directory = Atomics.load(this.words, HEADER_DIRECTORY)
      const depth = depthOf(this.region, directory)
      if (depth < 0) return
      const width = 2 ** (32 - depth)
      const index = Math.floor(hash / width)
      const segment = Atomics.load(this.words, directory * BLOCK_WORDS + DIRECTORY_ENTRIES + index)
      if (!this.region.contains(segment, SEGMENT_WORDS)) return
      const isNew = this.meet(segment)
      if (isNew) this.found.bytesIndex += SEGMENT_BYTES
      let covered = width
      if (isNew || again-- > 0) {
        this.walkSegment(segment)
        covered = 2 ** (32 - Math.min(this.words[segment * BLOCK_WORDS + SEGMENT_DEPTH] >>> 0, depth))
      }
      hash = (Math.floor(hash / covered) + 1) * covered
      yield SEGMENT_WORK
    }
  }

  /** Returns the number of arrays. */
  private walkDirectories(): number {
    let directory = Atomics.load(this.words, HEADER_DIRECTORY)
    for (let arrays = 0; arrays <= MAX_DEPTH && directory !== 0; arrays++) {
      const depth = depthOf(this.region, directory)
      if (depth < 0 || !this.meet(directory)) return arrays
      this.found.bytesIndex += directoryBytes(depth)
      directory = this.words[directory * BLOCK_WORDS + DIRECTORY_PREVIOUS]
    }
    return MAX_DEPTH
  }

  private walkLabelTables(): void {
    for (let level = 0; level < LABEL_LEVELS; level++) {
      const table = Atomics.load(this.words, HEADER_LABEL_TABLES + level)
      const bytes = labelTableBytes(level)
      if (this.region.contains(table, bytes / 4) && this.meet(table)) this.found.bytesIndex += bytes
    }
  }

  private walkSegment(segment: number): void {
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const slots = bucketAt(segment, index) + BUCKET_SLOTS
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
        const reference = Atomics.load(this.words, slots + slot)
        if (reference !== 0) this.meetEntry(reference)
      }
    }
  }

  private meetEntry(reference: number): void {
    const { words, region, found } = this
    const block = reference & ~TOMBSTONE_BIT
    if (!region.contains(block, ENTRY_DATA)) return
    // An entry that a split or this thread has moved meanwhile counts once.
    if (!this.meet(block) && this.bytesOf(block) > 0) return
    if (reference < 0) {
      found.tombstones++
      return
    }
    if (isLease(words, block)) return
    const expiresAt = expiryOf(region, block)
    if (expiresAt !== NEVER && expiresAt <= this.time) {
      found.expired++
      return
    }
    found.live++
    // The block may have been reused, and its header may hold anything.
    found.bytesLive += Math.min(sizeOf(words, block * BLOCK_WORDS), this.bytesOf(block))
  }

  private meetFeed(): void {
    const ring = feedRing(this.region)
    if (ring !== 0 && this.meet(ring / BLOCK_WORDS)) this.found.bytesIndex += feedBytes(this.words)
  }

  private *walkEvictionArea(): Job<void> {
    const { words, region } = this
    const block = Atomics.load(words, HEADER_EVICTION)
    if (!region.contains(block, CACHE_PARTITIONS)) return
    const area = block * BLOCK_WORDS
    const partitions = Math.min(words[area + CACHE_PARTITION_COUNT] >>> 0, MAX_PARTITIONS)
    if (!region.contains(block, CACHE_PARTITIONS + partitions * PARTITION_WORDS)) return
    this.meetEviction(block)
    for (let index = 0; index < partitions; index++) {
      const partition = area + CACHE_PARTITIONS + index * PARTITION_WORDS
      let chunk = Atomics.load(words, partition + PARTITION_CHUNKS)
      while (region.contains(chunk, BLOCK_WORDS) && this.meetEviction(chunk)) {
        chunk = Atomics.load(words, chunk * BLOCK_WORDS + CHUNK_NEXT)
        yield 1
      }
      this.meetEviction(Atomics.load(words, partition + PARTITION_GHOSTS))
    }
  }

  /** Returns the number of chunks. */
  private walkShapes(): number {
    for (let chunk = 0; chunk < SHAPE_CHUNKS; chunk++) {
      const block = Atomics.load(this.words, HEADER_SHAPE_CHUNKS + chunk)
      if (block !== 0 && this.meet(block)) this.found.bytesShapes += this.bytesOf(block)
    }
    return SHAPE_CHUNKS
  }

  /** Meets what nothing leads to any more, and other threads may still look at. Returns the number of blocks. */
  private walkGone(): number {
    const { words, region } = this
    let blocks = 1
    for (const list of [HEADER_GONE_SEGMENTS, HEADER_LEAVING_SEGMENTS]) {
      let segment = Atomics.load(words, list)
      while (region.contains(segment, SEGMENT_WORDS) && this.meet(segment)) {
        this.found.bytesIndex += SEGMENT_BYTES
        segment = Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_NEXT)
        blocks++
      }
    }
    for (const list of [HEADER_GONE_CHUNKS, HEADER_LEAVING_CHUNKS]) {
      let chunk = Atomics.load(words, list)
      while (region.contains(chunk, BLOCK_WORDS) && this.meetEviction(chunk)) {
        chunk = Atomics.load(words, chunk * BLOCK_WORDS + CHUNK_NEXT)
        blocks++
      }
    }
    return blocks
  }

  private meetEviction(block: number): boolean {
    const isNew = this.meet(block)
    if (isNew) this.found.bytesEviction += this.bytesOf(block)
    return isNew
  }

  private *walkFreeLists(): Job<void> {
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      const record = threadRecordAt(index)
      for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
        const head = record + THREAD_FREE_HEADS + sizeClass
        this.walkList(head, record + THREAD_FREE_COUNTS + sizeClass, 'bytesCached')
      }
      let owed = Atomics.load(this.words, record + THREAD_OWED)
      while (this.meet(owed, 'bytesCached')) owed = this.words[owed * BLOCK_WORDS]
      yield RECORD_WORK
    }
  }

  /** Walks the pages. Called last, so that blocks that were free in the meantime have been met where they went. */
  private *walkPages(): Job<void> {
    for (let page = 0; page < this.top;) {
      const run = this.field(page, PAGE_RUN)
      const kind = this.field(page, PAGE_KIND) & 0xff
      const sizeClass = this.classOf(page)
      let blocks = 1
      if (sizeClass >= 0) blocks += this.walkSpan(page, sizeClass)
      else if (kind === PAGE_LARGE_RUN) this.expectMet(this.blockOf(page))
      else if (kind === PAGE_FREE_RUN) this.free.addRun(Math.min(run, this.top - page))
      // Between two steps the page may have come to lie inside a run, and its length is not one any more.
      const isFirst = sizeClass >= 0 || kind === PAGE_LARGE_RUN || kind === PAGE_FREE_RUN
      page += isFirst && run > 0 ? run : 1
      yield blocks
    }
  }

  /** Returns the number of blocks. */
  private walkSpan(page: number, sizeClass: number): number {
    const carved = Math.min(this.field(page, PAGE_CARVED) >>> 0, spanCapacity(sizeClass))
    const entry = this.table + page * PAGE_ENTRY_WORDS
    this.walkList(entry + PAGE_FREE_HEAD, entry + PAGE_FREE_COUNT, 'bytesFree')
    for (let piece = 0; piece < carved; piece++) this.expectMet(this.blockOf(page) + piece * classBlocks(sizeClass))
    const free = Math.min(this.field(page, PAGE_FREE_COUNT) >>> 0, carved)
    this.free.addSpan(sizeClass, carved - free)
    return carved
  }

  /**
   * Meets the blocks of a list of free ones, given by the words of its head and its length. If the list changes
   * meanwhile, the blocks of all states seen count: none of them is lost.
   */
  private walkList(head: number, length: number, kind: 'bytesFree' | 'bytesCached'): void {
    const { words } = this
    for (let tries = 0; tries < LIST_TRIES; tries++) {
      const first = Atomics.load(words, head)
      const count = Atomics.load(words, length)
      let block = first
      let left = Math.min(count >>> 0, MAX_LIST)
      for (; left > 0 && this.bytesOf(block) > 0; left--) {
        this.meet(block, kind)
        block = words[block * BLOCK_WORDS]
      }
      if (left === 0 && Atomics.load(words, head) === first && Atomics.load(words, length) === count) return
    }
  }

  /** Notes that `block` is in some place. Returns false if it was met before, or is not a block. */
  private meet(block: number, kind: 'bytesReached' | 'bytesFree' | 'bytesCached' = 'bytesReached'): boolean {
    const bytes = this.bytesOf(block)
    if (bytes === 0) return false
    const index = block - this.firstBlock
    if (this.isMet(index)) return false
    this.met[index >> 3] |= 1 << (index & 7)
    this.found[kind] += bytes
    return true
  }

  private expectMet(block: number): void {
    const bytes = this.bytesOf(block)
    this.found.bytesAllocated += bytes
    if (this.isMet(block - this.firstBlock) || this.suspects.size === MAX_SUSPECTS) return
    const at = block * BLOCK_WORDS
    // The first word is a free block's link or an entry's hash; the fourth is the low word of an entry's version.
    this.suspects.set(block, { bytes, print: Math.imul(this.words[at], 0x9e3779b1) ^ this.words[at + 3] })
  }

  private isMet(index: number): boolean {
    return (this.met[index >> 3] & (1 << (index & 7))) !== 0
  }

  /** Returns the size class of the span that begins at `page`; -1 if none does. */
  private classOf(page: number): number {
    if (page < 0 || page >= this.top) return -1
    const kind = this.field(page, PAGE_KIND)
    const sizeClass = (kind >>> PAGE_CLASS_SHIFT) & 0xff
    return (kind & 0xff) === PAGE_SPAN && sizeClass < SIZE_CLASSES ? sizeClass : -1
  }

  private blockOf(page: number): number {
    return this.firstBlock + page * PAGE_BLOCKS
  }

  private field(page: number, field: number): number {
    return this.words[this.table + page * PAGE_ENTRY_WORDS + field]
  }
}
