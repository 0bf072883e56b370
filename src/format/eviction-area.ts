/** The eviction area of a cache: an area of partitions. See docs/internals/format.md, "Eviction". */
import {
  BLOCK_WORDS,
  CACHE_PARTITION_COUNT,
  CACHE_PARTITIONS,
  CACHE_RESERVE_MUTEX,
  HEADER_EVICTION,
  HEADER_PAGE_COUNT,
  INITIAL_COLD_SHARE,
  NODE_BYTES,
  PAGE_BYTES,
  PARTITION_COLD_SHARE,
  PARTITION_USE_CLOCK,
  PARTITION_FIRST_PAGES,
  PARTITION_LIMIT,
  PARTITION_WORDS,
} from './layout.js'
import { Region } from './region.js'

/** Most partitions: threads that insert at the same time seldom meet in one of so many. */
const MAX_PARTITIONS = 16
/** Least entries of a partition: fewer would cost hits, since a partition knows only its own entries. */
const MIN_PARTITION_ENTRIES = 1024
const MIN_PARTITION_BYTES = 4 * 2 ** 20
/**
 * Lowest bit of the hash's bits that choose neither home bucket nor tag nor, in all but the largest maps, the segment.
 */
const PARTITION_SHIFT = 14

/**
 * Returns the number of partitions of a new cache, a power of two.
 * @param maxEntries 0 if only the region's size is a bound
 */
export function partitionsFor(maxEntries: number, regionBytes: number): number {
  let partitions = 1
  while (
    partitions < MAX_PARTITIONS &&
    (maxEntries === 0 || maxEntries >= 2 * partitions * MIN_PARTITION_ENTRIES) &&
    regionBytes >= 2 * partitions * MIN_PARTITION_BYTES
  ) {
    partitions *= 2
  }
  return partitions
}

export function areaBytes(partitions: number): number {
  return (CACHE_PARTITIONS + partitions * PARTITION_WORDS) * 4
}

/** Makes the area in a region that no other thread knows yet, in a run of {@link areaPages}. */
export function formatArea(words: Int32Array, block: number, partitions: number, maxEntries: number): void {
  const pages = words[HEADER_PAGE_COUNT] / partitions
  const area = block * BLOCK_WORDS
  words.fill(0, area, area + areaBytes(partitions) / 4)
  words[area + CACHE_PARTITION_COUNT] = partitions
  for (let index = 0; index < partitions; index++) {
    const partition = partitionAt(area, index)
    // The limits add up to exactly `maxEntries`, and each is at least one.
    const limit = Math.floor((maxEntries + index) / partitions)
    words[partition + PARTITION_LIMIT] = limit
    words[partition + PARTITION_FIRST_PAGES] = firstPages(limit, pages)
    words[partition + PARTITION_COLD_SHARE] = INITIAL_COLD_SHARE
  }
  words[HEADER_EVICTION] = block
}

/**
 * Returns the pages of the first nodes: for all entries if their number is known, but for no more than there may be
 * room for.
 */
function firstPages(limit: number, pages: number): number {
  if (limit === 0) return Math.max(1, Math.floor(pages / 64))
  return Math.max(1, Math.min(Math.ceil(((limit + 1) * NODE_BYTES) / PAGE_BYTES), Math.floor(pages / 8)))
}

/** Returns the index of the first word of a partition. */
export function partitionAt(area: number, index: number): number {
  return area + CACHE_PARTITIONS + index * PARTITION_WORDS
}

/** Returns the partition that keys of a hash belong to. */
export function partitionOf(hash: number, partitions: number): number {
  return (hash >>> PARTITION_SHIFT) & (partitions - 1)
}

/**
 * Returns the indices of the first words of all partitions; an empty list if the region is not a cache's, or damaged.
 */
export function partitionsOf(region: Region): number[] {
  const { words } = region
  const block = words[HEADER_EVICTION]
  if (!region.contains(block, CACHE_PARTITIONS)) return []
  const area = block * BLOCK_WORDS
  const partitions = words[area + CACHE_PARTITION_COUNT]
  const isSound = partitions > 0 && partitions <= MAX_PARTITIONS && (partitions & (partitions - 1)) === 0
  if (!isSound || !region.contains(block, areaBytes(partitions) / 4)) return []
  return Array.from({ length: partitions }, (_, index) => partitionAt(area, index))
}

/** Returns the word indices of the use clocks of the partitions; none if the region is not a cache's, or damaged. */
export function useClocksOf(words: Int32Array): readonly number[] {
  if (words[HEADER_EVICTION] === 0) return []
  return partitionsOf(new Region(words.buffer)).map((partition) => partition + PARTITION_USE_CLOCK)
}

/**
 * Returns the word index of the mutex for gathering a long run of the reserve; 0 if the region is not a cache's, or
 * damaged.
 */
export function reserveMutexAt(region: Region): number {
  return partitionsOf(region).length === 0 ? 0 : region.words[HEADER_EVICTION] * BLOCK_WORDS + CACHE_RESERVE_MUTEX
}

/** Pages that the area fills. */
export const areaPages = (partitions: number): number => Math.ceil(areaBytes(partitions) / PAGE_BYTES)
