/**
 * The places of a region's parts: a function of its size alone. See docs/internals/format.md, "Units". The header
 * repeats them, so that tools can recognise a region; no code relies on the header's copy.
 */
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  MIN_RESERVE_PAGES,
  PAGE_BLOCKS,
  PAGE_BYTES,
  PAGE_ENTRY_WORDS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  RESERVE_PART,
  THREAD_WORDS,
} from './layout.js'

export const PAGE_TABLE_BLOCK = REGISTRY_BLOCK + (REGISTRY_THREADS * THREAD_WORDS) / BLOCK_WORDS
const PAGE_ENTRY_BYTES = PAGE_ENTRY_WORDS * 4

/** Returns the number of heap pages that fit beside their own descriptors into a region of `bytes` bytes. */
export function heapPages(bytes: number): number {
  const left = bytes - PAGE_TABLE_BLOCK * BLOCK_BYTES
  const pages = Math.floor(left / (PAGE_BYTES + PAGE_ENTRY_BYTES))
  const tablePages = Math.ceil((pages * PAGE_ENTRY_BYTES) / PAGE_BYTES)
  // One page more than `pages` may fit beside their descriptors, but not beside its own.
  return Math.min(Math.floor(left / PAGE_BYTES) - tablePages, (tablePages * PAGE_BYTES) / PAGE_ENTRY_BYTES)
}

/**
 * Returns how many of `pages` heap pages, the last ones, are a cache's reserve: everything in them can be evicted. See
 * docs/internals/protocol.md, "The reserve".
 */
export function reservePages(pages: number): number {
  return Math.max(Math.floor(pages / RESERVE_PART), MIN_RESERVE_PAGES)
}

/**
 * Returns the most bytes of an entry, including key and header, in a cache of `bytes` bytes: evictions can always make
 * room for so many.
 */
export function maxCacheEntryBytes(bytes: number): number {
  return reservePages(heapPages(bytes)) * PAGE_BYTES
}

/** Returns the block number of heap page 0. */
export function heapBlock(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) - heapPages(bytes) * PAGE_BLOCKS
}
