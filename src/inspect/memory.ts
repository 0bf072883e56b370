/** The use of a region's memory, read from its tables. See docs/internals/format.md, "Heap". */
import { feedBytes } from '../format/feed.js'
import { areaPages, partitionsOf } from '../format/eviction-area.js'
import { ghostPages } from '../format/ghosts.js'
import { classBlocks, classOf } from '../format/size-classes.js'
import { Region } from '../format/region.js'
import { labelTableBytes } from '../format/labels.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CHUNK_NEXT,
  CHUNK_NODES,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  HEADER_FEED,
  HEADER_GONE_CHUNKS,
  HEADER_GONE_SEGMENTS,
  HEADER_HEAP_TOP,
  HEADER_LABEL_TABLES,
  HEADER_LEAVING_CHUNKS,
  HEADER_LEAVING_SEGMENTS,
  LABEL_LEVELS,
  HEADER_PAGES_IN_USE,
  HEADER_SEGMENT_COUNT,
  HEADER_SHAPE_CHUNKS,
  MAX_CLASS_BLOCKS,
  MAX_DEPTH,
  NODE_BYTES,
  PAGE_BYTES,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_ENTRY_WORDS,
  PAGE_FREE_COUNT,
  PAGE_KIND,
  PAGE_RUN,
  PAGE_SPAN,
  PARTITION_CHUNKS,
  PARTITION_GHOST_BUCKETS,
  PARTITION_NODES,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  SEGMENT_NEXT,
  SHAPE_CHUNKS,
  SIZE_CLASSES,
  THREAD_FREE_COUNTS,
} from '../format/layout.js'
import { shapeChunkBytes } from '../format/shapes.js'
import { heapPages, PAGE_TABLE_BLOCK } from '../format/geometry.js'
import { threadRecordAt } from '../format/thread-record.js'

/**
 * Bytes of a region by their use; they add up to its size. In a map in use, the figures are from slightly different
 * times.
 */
export interface MemoryUse {
  /** Entries, including deleted and expired ones that are not cleaned up yet, in blocks of their size class. */
  readonly entries: number
  /** The index: segments, also those that other threads may still look at after a join, directory, and tables of tags. */
  readonly index: number
  /** The memory by which a cache chooses the entries that it evicts. */
  readonly eviction: number
  /** The table of shapes: the property names of values. */
  readonly shapes: number
  /** Free blocks in pages that hold others: ready for entries of their size. */
  readonly spare: number
  /** Header, thread records and page table. */
  readonly overhead: number
  /** Unused pages. */
  readonly unused: number
}

/** Returns the bytes of a block of a size class. */
function classBytes(sizeClass: number): number {
  return classBlocks(sizeClass) * BLOCK_BYTES
}

/**
 * Reads the use of a region's memory. O(spans), a few microseconds for each MiB in use. Writes nothing. The figures of
 * a damaged region are wrong, but none is below 0, they add up, and it takes no longer.
 */
export function inspectMemory(words: Int32Array): MemoryUse {
  const load = (word: number): number => Atomics.load(words, word) >>> 0
  const total = words.byteLength
  const heap = heapPages(total) * PAGE_BYTES
  const inUse = Math.min(load(HEADER_PAGES_IN_USE) * PAGE_BYTES, heap)
  const index = Math.min(inUse, indexBytes(words, load))
  const eviction = Math.min(inUse - index, evictionBytes(words, load))
  const shapes = Math.min(inUse - index - eviction, shapeBytes(load))
  const spare = Math.min(inUse - index - eviction - shapes, spareBytes(words, load) + cachedBytes(load))
  return {
    entries: inUse - index - eviction - shapes - spare,
    index,
    eviction,
    shapes,
    spare,
    overhead: total - heap,
    unused: heap - inUse,
  }
}

type Load = (word: number) => number

/** More segments than are ever gone at one time: a bound for lists that damage made circles. */
const MAX_GONE = 2 ** 16

function indexBytes(words: Int32Array, load: Load): number {
  const directory = load(HEADER_DIRECTORY) * BLOCK_WORDS
  const depth = directory < words.length ? Math.min(load(directory + DIRECTORY_DEPTH), MAX_DEPTH) : 0
  let bytes = load(HEADER_SEGMENT_COUNT) * allocatedBytes(SEGMENT_BYTES)
  // Counts the current array and all that it replaced.
  for (let each = 0; each <= depth; each++) bytes += allocatedBytes((DIRECTORY_ENTRIES + 2 ** each) * 4)
  for (const list of [HEADER_GONE_SEGMENTS, HEADER_LEAVING_SEGMENTS]) {
    let segment = load(list)
    for (let i = 0; segment !== 0 && (segment + 1) * BLOCK_WORDS + SEGMENT_NEXT <= words.length && i < MAX_GONE; i++) {
      bytes += allocatedBytes(SEGMENT_BYTES)
      segment = load(segment * BLOCK_WORDS + SEGMENT_NEXT)
    }
  }
  if (load(HEADER_FEED) !== 0) bytes += allocatedBytes(feedBytes(words))
  for (let level = 0; level < LABEL_LEVELS; level++) {
    if (load(HEADER_LABEL_TABLES + level) !== 0) bytes += allocatedBytes(labelTableBytes(level))
  }
  return bytes
}

/** Returns the bytes of the eviction area, including all nodes and ghosts. */
function evictionBytes(words: Int32Array, load: Load): number {
  const region = new Region(words.buffer)
  const partitions = partitionsOf(region)
  const most = heapPages(words.byteLength)
  let pages = partitions.length === 0 ? 0 : areaPages(partitions.length)
  for (const at of partitions) {
    pages += ghostPages(load(at + PARTITION_GHOST_BUCKETS))
    let left = load(at + PARTITION_NODES)
    // A chunk fills a page at least, so a list that is longer than the heap is a circle.
    let chunks = most
    for (
      let chunk = load(at + PARTITION_CHUNKS);
      left > 0 && chunks > 0 && region.contains(chunk, BLOCK_WORDS);
      chunks--
    ) {
      const nodes = load(chunk * BLOCK_WORDS + CHUNK_NODES)
      pages += Math.ceil(((nodes + 1) * NODE_BYTES) / PAGE_BYTES)
      left -= nodes
      chunk = load(chunk * BLOCK_WORDS + CHUNK_NEXT)
    }
  }
  for (const list of partitions.length === 0 ? [] : [HEADER_GONE_CHUNKS, HEADER_LEAVING_CHUNKS]) {
    let chunks = most
    for (let chunk = load(list); chunk !== 0 && chunks > 0 && region.contains(chunk, BLOCK_WORDS); chunks--) {
      pages += Math.ceil(((load(chunk * BLOCK_WORDS + CHUNK_NODES) + 1) * NODE_BYTES) / PAGE_BYTES)
      chunk = load(chunk * BLOCK_WORDS + CHUNK_NEXT)
    }
  }
  return pages * PAGE_BYTES
}

/** Returns the bytes of the chunks of the table of shapes. */
function shapeBytes(load: Load): number {
  let bytes = 0
  for (let chunk = 0; chunk < SHAPE_CHUNKS; chunk++) {
    if (load(HEADER_SHAPE_CHUNKS + chunk) !== 0) bytes += allocatedBytes(shapeChunkBytes(chunk))
  }
  return bytes
}

/** Returns the bytes of the block or pages that `bytes` bytes take. */
function allocatedBytes(bytes: number): number {
  const blocks = Math.ceil(bytes / BLOCK_BYTES)
  if (blocks > MAX_CLASS_BLOCKS) return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
  return classBytes(classOf(blocks))
}

/** Returns the bytes of spans outside of used blocks: free and uncarved blocks, and the rest that makes no block. */
function spareBytes(words: Int32Array, load: Load): number {
  const top = Math.min(load(HEADER_HEAP_TOP), heapPages(words.length * 4))
  let bytes = 0
  for (let page = 0; page < top;) {
    const entry = PAGE_TABLE_BLOCK * BLOCK_WORDS + page * PAGE_ENTRY_WORDS
    const kind = load(entry + PAGE_KIND)
    const run = Math.max(1, load(entry + PAGE_RUN))
    if ((kind & 0xff) === PAGE_SPAN) {
      const taken = Math.max(0, load(entry + PAGE_CARVED) - load(entry + PAGE_FREE_COUNT))
      const sizeClass = Math.min(kind >>> PAGE_CLASS_SHIFT, SIZE_CLASSES - 1)
      bytes += Math.max(0, run * PAGE_BYTES - taken * classBytes(sizeClass))
    }
    page += run
  }
  return bytes
}

/** Returns the bytes in the free lists of threads. */
function cachedBytes(load: Load): number {
  let bytes = 0
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const counts = threadRecordAt(index) + THREAD_FREE_COUNTS
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      bytes += load(counts + sizeClass) * classBytes(sizeClass)
    }
  }
  return bytes
}
