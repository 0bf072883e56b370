import { attachedThreads, type AttachedThread, type Registry } from '../format/attached-threads.js'
import { heapPages } from '../format/geometry.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  HEADER_PAGES_IN_USE,
  HEADER_SHAPE_LIMIT,
  HEADER_SHAPE_REFUSALS,
  MAX_DEPTH,
  MAX_SHAPES,
  PAGE_BYTES,
  SEGMENT_BYTES,
  SEGMENT_CONTENTION,
  SEGMENT_DEPTH,
  SEGMENT_OPERATIONS,
  SEGMENT_TOMBSTONES,
  SLOTS_PER_BUCKET,
} from '../format/layout.js'
import { inspectLoadTimes, type LoadTimes } from '../format/load-times.js'
import { Region } from '../format/region.js'
import { ShapeTable } from '../format/shapes.js'
import { sumOfSizeDeltas } from '../format/thread-record.js'

/** The segment in which writes got in each other's way most often. */
export interface ContendedSegment {
  /** {@link RegionStats.contention} of this segment and of those it was once a part of. */
  readonly contention: number
  /** {@link RegionStats.operations} of the same segments. */
  readonly operations: number
  /** Depth of the segment: it holds the keys of one part in 2 to this power of all hashes. */
  readonly depth: number
}

/** The table of shapes: the lists of property names that values share. */
export interface ShapeStats {
  /** Number of shapes: a list of names, or the beginning of one, each. */
  readonly used: number
  /** The most shapes that there is room for; fewer if their names are long. */
  readonly limit: number
  /** The part of the table in use, from 0 to 1. Values of further shapes are stored with their names, and cost more. */
  readonly share: number
  /** Number of times that a thread found no room for a shape. */
  readonly refused: number
}

/** The content of a map's memory at the moment. In a map in use, the numbers are from slightly different times. */
export interface RegionStats {
  /** Number of live entries. */
  readonly entries: number
  /** Number of slots whose entry was deleted and not cleaned up yet. */
  readonly tombstones: number
  /** Number of pieces of the table; each has room for some seven hundred entries and a lock of its own. */
  readonly segments: number
  /** Depth of the directory, which has 2 to this power entries. */
  readonly directoryDepth: number
  /** Number of writes, since the map was made, that found a bucket taken or changed by another thread. */
  readonly contention: number
  /** Number of writes since the map was made, counted 16 at a time: every thread leaves out fewer than 16. */
  readonly operations: number
  /** The segment with the most collisions of writes; undefined if there was no collision. */
  readonly mostContended: ContendedSegment | undefined
  /** The property names of values. */
  readonly shapes: ShapeStats
  /** How long loads took. */
  readonly loadTimes: LoadTimes
  /** Size of the region in bytes. */
  readonly bytesTotal: number
  /** Bytes of header, registry, page table, and heap pages in use. */
  readonly bytesInUse: number
  /** Bytes of unused heap pages. Pages in use have free blocks in addition. */
  readonly bytesFree: number
  /** Number of heap pages, of 4,096 bytes, in use. */
  readonly pagesInUse: number
  /** Number of all heap pages. */
  readonly pagesTotal: number
  /** The threads that have the map open, at most 128. */
  readonly threads: readonly AttachedThread[]
}

/**
 * Reads the statistics of a region, with any engines attached. O(segments + thread records). Writes nothing. The
 * numbers of a damaged region are wrong, but none is below 0 or beyond what the region has room for.
 */
export function inspectRegion(registry: Registry): RegionStats {
  const { words } = registry
  const load = (word: number): number => (word < words.length ? Atomics.load(words, word) >>> 0 : 0)
  const pagesTotal = heapPages(words.byteLength)
  const pagesInUse = Math.min(load(HEADER_PAGES_IN_USE), pagesTotal)
  const inSegments = inspectSegments(words, load)
  const bytesTotal = words.byteLength
  const bytesFree = (pagesTotal - pagesInUse) * PAGE_BYTES
  return {
    // A deletion may be counted before its insert by another thread.
    entries: Math.min(Math.max(0, sumOfSizeDeltas(words)), inSegments.segments * SEGMENT_SLOTS),
    loadTimes: inspectLoadTimes(words),
    threads: attachedThreads(registry),
    ...inSegments,
    shapes: inspectShapes(words),
    bytesTotal,
    bytesInUse: bytesTotal - bytesFree,
    bytesFree,
    pagesInUse,
    pagesTotal,
  }
}

function inspectShapes(words: Int32Array): ShapeStats {
  const table = new ShapeTable(new Region(words.buffer))
  const limit = Math.min(words[HEADER_SHAPE_LIMIT] >>> 0, MAX_SHAPES)
  const refused = Atomics.load(words, HEADER_SHAPE_REFUSALS) >>> 0
  return { used: Math.min(table.count, limit), limit, share: table.share, refused }
}

const SEGMENT_SLOTS = ALL_BUCKETS * SLOTS_PER_BUCKET

type Load = (word: number) => number

function inspectSegments(
  words: Int32Array,
  load: Load,
): Pick<RegionStats, 'segments' | 'tombstones' | 'contention' | 'operations' | 'mostContended' | 'directoryDepth'> {
  const directory = load(HEADER_DIRECTORY) * BLOCK_WORDS
  const directoryDepth = Math.min(load(directory + DIRECTORY_DEPTH), MAX_DEPTH)
  const end = 2 ** directoryDepth
  const lastSegment = words.length - SEGMENT_BYTES / 4
  const mostSegments = Math.floor(words.byteLength / SEGMENT_BYTES)
  let segments = 0
  let tombstones = 0
  let contention = 0
  let operations = 0
  let mostContended: ContendedSegment | undefined
  for (let index = 0; index < end;) {
    const segment = load(directory + DIRECTORY_ENTRIES + index) * BLOCK_WORDS
    // A damaged directory; verify() reports it.
    if (segment > lastSegment || segments === mostSegments) break
    segments++
    tombstones += Math.min(load(segment + SEGMENT_TOMBSTONES), SEGMENT_SLOTS)
    const depth = load(segment + SEGMENT_DEPTH)
    const here = {
      contention: load(segment + SEGMENT_CONTENTION),
      operations: load(segment + SEGMENT_OPERATIONS),
      depth,
    }
    contention += here.contention
    operations += here.operations
    if (here.contention > (mostContended?.contention ?? 0)) mostContended = here
    // A segment of smaller depth fills several entries in a row.
    index += 2 ** Math.max(0, directoryDepth - depth)
  }
  return { segments, tombstones, contention, operations, mostContended, directoryDepth }
}
