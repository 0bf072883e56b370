/** The size of a table of ghosts. See docs/internals/format.md, "Eviction". */
import { GHOST_WORDS, GHOSTS_PER_BUCKET, PAGE_BYTES } from './layout.js'

export const GHOST_BUCKET_WORDS = GHOSTS_PER_BUCKET * GHOST_WORDS

export const ghostBytes = (buckets: number): number => buckets * GHOST_BUCKET_WORDS * 4

/** Returns the pages that a table of ghosts fills. */
export const ghostPages = (buckets: number): number => Math.ceil(ghostBytes(buckets) / PAGE_BYTES)
