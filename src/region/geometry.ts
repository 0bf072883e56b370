/**
 * Where the parts of a region lie: a function of its size alone. See docs/format.md, "Units". The header repeats it, for
 * whoever is to recognise a region; nobody relies on what the header says.
 */
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  PAGE_BLOCKS,
  PAGE_BYTES,
  PAGE_ENTRY_WORDS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  THREAD_WORDS,
} from './layout.js'

export const PAGE_TABLE_BLOCK = REGISTRY_BLOCK + (REGISTRY_THREADS * THREAD_WORDS) / BLOCK_WORDS
const PAGE_ENTRY_BYTES = PAGE_ENTRY_WORDS * 4

/** Heap pages that fit beside their own descriptors into a region of `bytes` bytes. */
export function heapPages(bytes: number): number {
  const left = bytes - PAGE_TABLE_BLOCK * BLOCK_BYTES
  const pages = Math.floor(left / (PAGE_BYTES + PAGE_ENTRY_BYTES))
  const tablePages = Math.ceil((pages * PAGE_ENTRY_BYTES) / PAGE_BYTES)
  return Math.floor(left / PAGE_BYTES) - tablePages
}

/** Block number of heap page 0. */
export function heapBlock(bytes: number): number {
  return Math.floor(bytes / BLOCK_BYTES) - heapPages(bytes) * PAGE_BLOCKS
}
