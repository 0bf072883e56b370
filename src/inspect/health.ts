import { atOnce, type Job } from '../base/slices.js'
import { takingCensus, type Census } from './census.js'
import { inspectCounters } from '../format/counters.js'
import { isCache } from '../format/cache-settings.js'
import { heapPages, maxCacheEntryBytes } from '../format/geometry.js'
import { HEADER_PAGES_IN_USE, HEADER_SHAPE_CHILDREN, HEADER_SHAPE_REFUSALS, PAGE_BYTES } from '../format/layout.js'
import { Region } from '../format/region.js'
import { ShapeTable } from '../format/shapes.js'
import type { Registry } from '../format/attached-threads.js'
import { LostBlocks, type Losses, type Viewer } from './lost-blocks.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * The subject of a verdict.
 *
 * * `liveRatio`: live entries among the slots in use, from 0 to 1.
 * * `nearStaleness`: the part of all near reads since the last call that near-caches passed on, from 0 to 1.
 * * `memoryAmplification`: bytes held for a byte of live entries.
 * * `indexAmplification`: bytes of the table for a live entry.
 * * `changingNames`: the part of the bounds on property names of values that is used up, from 0 to 1: of the table of all
 *   lists of names, or of the names that may follow one list, whichever is more.
 * * `lostMemory`: bytes that the allocator gave away and nothing leads to.
 * * `fragmentation`: bytes of the largest entry, header, key and value, for which there is room as everything lies. A map
 *   makes room for larger ones by moving entries, a cache by evictions, too, for entries of up to its reserve.
 */
export type VerdictName =
  | 'liveRatio'
  | 'nearStaleness'
  | 'memoryAmplification'
  | 'indexAmplification'
  | 'changingNames'
  | 'fragmentation'
  | 'lostMemory'

/** One judgement on a map: a number, its bound, and advice if the bound is exceeded. */
export interface Verdict {
  /** The subject of the verdict. */
  readonly name: VerdictName
  /** Whether {@link Verdict.value} keeps to its bound, or there is too little data to judge. */
  readonly ok: boolean
  /** The number that is judged: a ratio, or bytes; see {@link VerdictName}. */
  readonly value: number
  /** {@link Verdict.value} should be at least this for `liveRatio` and `fragmentation`, and at most this for the others. */
  readonly threshold: number
  /** Advice; undefined if there is nothing to do. */
  readonly advice: string | undefined
  /** The figures from which the value was computed. */
  readonly figures: Readonly<Record<string, number>>
}

/** The state of a map's health, as plain data. */
export interface HealthReport {
  /** Whether every verdict is `ok`. */
  readonly ok: boolean
  /** One for each {@link VerdictName}, always in the same order. */
  readonly verdicts: readonly Verdict[]
}

// The reasons for the thresholds are in docs/decisions/2026-11-20-health-thresholds.md.

/**
 * Live entries among the slots in use. A segment is cleaned up when 30 % of its slots are tombstones. So a map with
 * full segments stays above 0.7, and a map below it has more dead slots than cleanups should leave.
 */
const MIN_LIVE_RATIO = 0.7
/** Dead slots that one segment may have before a cleanup: so few in a whole map do not mean that cleanups lag. */
const FEW_DEAD_SLOTS = 224

/**
 * The part of near reads that near-caches passed on to the engine. A near hit saves some 100 ns of a string's read, a
 * read that is passed on costs some 70 ns more: with three in ten, half of the gain is lost, with six in ten all of it.
 */
const MAX_NEAR_STALENESS = 0.3
/** Number of near reads below which there is too little to judge. */
const FEW_NEAR_READS = 1000

/**
 * Bytes of pages in use, without those of the eviction area, for each byte of live entries. A map that grew steadily
 * has 1.02 to 1.45, the more the smaller its entries; from 2 on, half of its memory serves no entry.
 */
const MAX_MEMORY_AMPLIFICATION = 2
/** Bytes too few for a verdict: the size of the smallest map. */
const LITTLE_MEMORY = 2 ** 20

/**
 * Bytes of segments and directory for each live entry. Growth leaves 7 to 18: this bound is an index three times as
 * large as needed.
 */
const MAX_INDEX_BYTES = 64
/** Bytes of an index too small for a verdict: some thirty segments. */
const SMALL_INDEX = 2 ** 17

/**
 * One lost block is one too many: only the sudden death of a thread, damage, or a fault of this library loses memory.
 */
const MAX_LOST_BYTES = 0

/**
 * The part of the bounds on names that is used up. Types of objects have few names, which are there soon; whoever comes so
 * near a bound will meet it.
 */
const MAX_NAMES = 0.9

/**
 * An entry of a sixteenth of the bytes that serve no entry should find room, or one of a megabyte. In a map that only
 * grew, nearly all of them lie together.
 */
const FRAGMENT_PART = 16
const LARGE_ENTRY = 2 ** 20
/** A map with less unused, as a part of its heap, is not in pieces but full; and so is one with fewer bytes unused. */
const FULL_PART = 8

/**
 * Judges a map by a walk over its region and by the counts of near-caches since the last run.
 *
 * Thread safety: one thread; other threads may write meanwhile.
 */
export class HealthCheck {
  #near: NearReads
  readonly #lost: LostBlocks

  constructor(words: Int32Array, viewer?: Viewer) {
    this.#near = countNearReads(words)
    this.#lost = new LostBlocks(viewer)
  }

  /**
   * @param registry the region's, always the same. It is not kept, so that a closed map does not keep its region
   * @param time the region's time by which entries have expired. Default: the present time
   */
  run(registry: Registry, time?: number): HealthReport {
    return atOnce(this.running(registry, time, true))
  }

  /**
   * Judges as {@link HealthCheck.run} does, in steps.
   *
   * @param isAtOnce whether this thread does nothing else between two of them
   */
  *running(registry: Registry, time?: number, isAtOnce = false): Job<HealthReport> {
    const { words } = registry
    const census = yield* takingCensus(words, time)
    const bytesHeld = Math.min(words[HEADER_PAGES_IN_USE] >>> 0, heapPages(words.byteLength)) * PAGE_BYTES
    const before = this.#near
    this.#near = countNearReads(words)
    const verdicts = [
      judgeLiveRatio(census),
      judgeNearStaleness(before, this.#near),
      judgeMemory(census, bytesHeld),
      judgeIndex(census),
      judgeNames(words),
      judgeFragmentation(census, words),
      judgeLosses(census, this.#lost.among(registry, census.suspects, isAtOnce)),
    ]
    return { ok: verdicts.every(({ ok }) => ok), verdicts }
  }
}

interface NearReads {
  readonly at: number
  readonly hits: number
  readonly misses: number
  readonly refreshed: number
}

function countNearReads(words: Int32Array): NearReads {
  const { nearHits, nearMisses, nearRefreshed } = inspectCounters(words)
  return { at: monotonic(), hits: nearHits, misses: nearMisses, refreshed: nearRefreshed }
}

function judgeLiveRatio({ live, tombstones, expired }: Census): Verdict {
  const dead = tombstones + expired
  const value = dead === 0 ? 1 : live / (live + dead)
  const advice =
    expired > tombstones
      ? 'Entries expire faster than they are deleted. They go with writes and in the background, unless no thread that has the ' +
        'cache open lets its event loop run.'
      : 'Deleted entries wait for cleaning, which comes when a segment has 30 % of them, or when memory runs out. Memory that ' +
        'is wanted back sooner comes with clear().'
  return {
    name: 'liveRatio',
    ...judge(dead <= FEW_DEAD_SLOTS || value >= MIN_LIVE_RATIO, advice),
    value,
    threshold: MIN_LIVE_RATIO,
    figures: { live, tombstones, expired },
  }
}

function judgeNearStaleness(before: NearReads, after: NearReads): Verdict {
  const milliseconds = after.at - before.at
  // Counts only grow, unless they were damaged.
  const since = (name: 'hits' | 'misses' | 'refreshed'): number => Math.max(0, after[name] - before[name])
  const misses = since('misses')
  const refreshed = since('refreshed')
  const reads = since('hits') + misses
  const value = reads === 0 ? 0 : misses / reads
  const advice =
    refreshed * 2 > misses
      ? 'Most near entries that were out of date had not changed themselves: writes to other keys of their buckets are what ' +
        'drives them out. Keep what is written often in a map of its own.'
      : 'Near-caches pass on so many reads that they hardly pay. If keys are written about as often as they are read, open the map with ' +
        'nearCache: false; if more keys are read than nearCache.maxEntries, raise that.'
  return {
    name: 'nearStaleness',
    ...judge(reads < FEW_NEAR_READS || value <= MAX_NEAR_STALENESS, advice),
    value,
    threshold: MAX_NEAR_STALENESS,
    figures: { reads, misses, refreshed, milliseconds, missesPerMillisecond: misses / milliseconds },
  }
}

function judgeMemory(census: Census, bytesHeld: number): Verdict {
  const { bytesLive, bytesEviction, bytesAllocated, bytesFree, bytesCached } = census
  const value = Math.max(0, bytesHeld - bytesEviction) / Math.max(bytesLive, 1)
  return {
    name: 'memoryAmplification',
    ...judge(
      bytesHeld < LITTLE_MEMORY || value <= MAX_MEMORY_AMPLIFICATION,
      'Most of the memory held serves no entry: the map was larger once. New entries of any size use it again; those that are left are ' +
        'moved together for them. If the map stays small, copy it into a new one.',
    ),
    value,
    threshold: MAX_MEMORY_AMPLIFICATION,
    figures: { bytesHeld, bytesEviction, bytesLive, bytesAllocated, bytesFree, bytesCached },
  }
}

function judgeIndex({ live, bytesIndex }: Census): Verdict {
  const value = bytesIndex / Math.max(live, 1)
  return {
    name: 'indexAmplification',
    ...judge(
      bytesIndex < SMALL_INDEX || value <= MAX_INDEX_BYTES,
      'The index is far larger than its entries need: the map was larger, or hot segments were split. Segments that are nearly empty ' +
        'join when the map is swept or makes room. If it stays so, copy the map into a new one.',
    ),
    value,
    threshold: MAX_INDEX_BYTES,
    figures: { live, bytesIndex },
  }
}

function judgeNames(words: Int32Array): Verdict {
  const table = new ShapeTable(new Region(words.buffer))
  const { share } = table
  const mostChildren = table.mostChildren()
  const childrenAllowed = Math.max(1, words[HEADER_SHAPE_CHILDREN] >>> 0)
  const value = Math.max(share, Math.min(1, mostChildren / childrenAllowed))
  const figures = { share, mostChildren, childrenAllowed, refused: words[HEADER_SHAPE_REFUSALS] >>> 0 }
  return {
    name: 'changingNames',
    ...judge(
      value <= MAX_NAMES,
      'Values have ever-changing property names, as objects have that serve as dictionaries, with ids for names. There is hardly room for more: values with ' +
        'new names are stored with their names inside, larger and slower to read and write. Store a Map instead of such an object, or an entry for each id.',
    ),
    value,
    threshold: MAX_NAMES,
    figures,
  }
}

function judgeLosses(
  { bytesAllocated, bytesReached, bytesFree, bytesCached }: Census,
  { bytes, blocks }: Losses,
): Verdict {
  return {
    name: 'lostMemory',
    ...judge(
      bytes <= MAX_LOST_BYTES,
      'Memory that nothing leads to, as a thread leaves it that ends in the middle of a write: repair() finds it again. If no ' +
        'thread or process ended suddenly, please report this with what verify() says.',
    ),
    value: bytes,
    threshold: MAX_LOST_BYTES,
    figures: { bytesAllocated, bytesReached, bytesFree, bytesCached, blocksLost: blocks },
  }
}

function judgeFragmentation(census: Census, words: Int32Array): Verdict {
  const heapBytes = heapPages(words.byteLength) * PAGE_BYTES
  const bytesUnused = Math.max(0, heapBytes - census.bytesReached)
  const mayEvict = isCache(words.buffer)
  const largestEntry = mayEvict ? maxCacheEntryBytes(words.byteLength) : census.largest
  const threshold = Math.min(LARGE_ENTRY, Math.floor(bytesUnused / FRAGMENT_PART))
  const isFull = bytesUnused < Math.max(LITTLE_MEMORY, heapBytes / FULL_PART)
  const { largestIfCompacted, freeRuns } = census
  return {
    name: 'fragmentation',
    ...judge(
      // A write that finds no room moves entries together.
      mayEvict || isFull || largestIfCompacted >= threshold,
      'Much memory is unused, but it lies in small pieces that no moving of entries brings together: an entry larger than this is refused with ' +
        'ERR_MAPSAFE_FULL. Entries of the sizes that were there first still find room. If large ones are to come, clear the map, or copy ' +
        'it into a new one.',
    ),
    value: largestEntry,
    threshold,
    figures: { largestEntry, largestIfCompacted, bytesUnused, freeRuns },
  }
}

function judge(ok: boolean, advice: string): Pick<Verdict, 'ok' | 'advice'> {
  return { ok, advice: ok ? undefined : advice }
}
