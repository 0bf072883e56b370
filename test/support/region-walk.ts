import {
  ALL_BUCKETS,
  BLOCK_BYTES,
  BLOCK_WORDS,
  BUCKET_SLOTS,
  BUCKET_WORDS,
  CACHE_PARTITION_COUNT,
  CACHE_PARTITIONS,
  CHUNK_NEXT,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  ENTRY_META,
  ENTRY_VALUE_LENGTH,
  HEADER_EVICTION,
  HEADER_GONE_CHUNKS,
  HEADER_GONE_SEGMENTS,
  HEADER_LEAVING_CHUNKS,
  HEADER_LEAVING_SEGMENTS,
  HEADER_DIRECTORY,
  HEADER_SHAPE_CHUNKS,
  PAGE_BYTES,
  PAGE_CARVED,
  PAGE_ENTRY_WORDS,
  PAGE_KIND,
  PAGE_LARGE_RUN,
  PAGE_RUN,
  PAGE_SPAN,
  PARTITION_CHUNKS,
  PARTITION_GHOSTS,
  PARTITION_WORDS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  SEGMENT_BUCKETS,
  SEGMENT_NEXT,
  SLOTS_PER_BUCKET,
  THREAD_ATTACHED,
  THREAD_ID,
  THREAD_PID,
  THREAD_STATE,
  THREAD_WORDS,
} from '../../src/format/layout.js'

/**
 * What a region at rest consists of, found by following every reference as docs/internals/format.md describes them. It has
 * nothing but the layout's constants in common with src/inspect, and believes no count of the header.
 */
export interface Walked {
  /** Slots of entries that are there or have expired, and of deleted ones. */
  readonly entries: number
  readonly tombstones: number
  readonly segments: number
  readonly directoryDepth: number
  /** Bytes of headers, keys, values and trailers of entries that are there. */
  readonly bytesOfEntries: number
  /** Bytes of blocks, by what leads to them, and of pages. */
  readonly memory: Record<'entries' | 'index' | 'eviction' | 'shapes' | 'spare' | 'overhead' | 'unused', number>
  readonly pagesInUse: number
  readonly threads: readonly { readonly pid: number; readonly threadId: number }[]
}

export function walkRegion(words: Int32Array): Walked {
  const heap = findHeap(words)
  const use = { entries: 0, index: 0, eviction: 0, shapes: 0 }
  const seen = new Set<number>()
  const own = (kind: keyof typeof use, block: number): void => {
    if (seen.has(block)) throw new Error(`two references lead to block ${block}`)
    seen.add(block)
    use[kind] += heap.bytesOf(block)
  }

  const directory = words[HEADER_DIRECTORY]
  const directoryDepth = words[directory * BLOCK_WORDS + DIRECTORY_DEPTH]
  for (let each = directory; each !== 0; each = words[each * BLOCK_WORDS + DIRECTORY_PREVIOUS]) own('index', each)
  const references = words.subarray(directory * BLOCK_WORDS + DIRECTORY_ENTRIES).subarray(0, 2 ** directoryDepth)
  const segments = new Set(references)
  let entries = 0
  let tombstones = 0
  let bytesOfEntries = 0
  for (const segment of segments) {
    own('index', segment)
    for (const reference of slotsOf(words, segment)) {
      if (reference === 0) continue
      const block = reference & 0x7fffffff
      own('entries', block)
      if (reference < 0) tombstones++
      else {
        entries++
        bytesOfEntries += entryBytes(words, block)
      }
    }
  }

  for (const list of [HEADER_GONE_SEGMENTS, HEADER_LEAVING_SEGMENTS]) {
    for (let each = words[list]; each !== 0; each = words[each * BLOCK_WORDS + SEGMENT_NEXT]) own('index', each)
  }

  const area = words[HEADER_EVICTION]
  if (area !== 0) {
    own('eviction', area)
    for (let i = 0; i < words[area * BLOCK_WORDS + CACHE_PARTITION_COUNT]; i++) {
      const partition = area * BLOCK_WORDS + CACHE_PARTITIONS + i * PARTITION_WORDS
      for (
        let chunk = words[partition + PARTITION_CHUNKS];
        chunk !== 0;
        chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]
      ) {
        own('eviction', chunk)
      }
      if (words[partition + PARTITION_GHOSTS] !== 0) own('eviction', words[partition + PARTITION_GHOSTS])
    }
    for (const list of [HEADER_GONE_CHUNKS, HEADER_LEAVING_CHUNKS]) {
      for (let chunk = words[list]; chunk !== 0; chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]) own('eviction', chunk)
    }
  }

  for (const chunk of words.subarray(HEADER_SHAPE_CHUNKS, HEADER_SHAPE_CHUNKS + 9)) {
    if (chunk !== 0) own('shapes', chunk)
  }

  const threads = Array.from({ length: REGISTRY_THREADS }, (_, i) => REGISTRY_BLOCK * BLOCK_WORDS + i * THREAD_WORDS)
    .filter((record) => words[record + THREAD_STATE] === THREAD_ATTACHED)
    .map((record) => ({ pid: words[record + THREAD_PID], threadId: words[record + THREAD_ID] }))
  const inUse = heap.pagesInUse * PAGE_BYTES
  const memory = {
    ...use,
    spare: inUse - use.entries - use.index - use.eviction - use.shapes,
    overhead: words.byteLength - heap.pages * PAGE_BYTES,
    unused: heap.pages * PAGE_BYTES - inUse,
  }
  return {
    ...{ entries, tombstones, segments: segments.size, directoryDepth, bytesOfEntries, memory, threads },
    pagesInUse: heap.pagesInUse,
  }
}

function* slotsOf(words: Int32Array, segment: number): Generator<number> {
  for (let bucket = 0; bucket < ALL_BUCKETS; bucket++) {
    const at = segment * BLOCK_WORDS + SEGMENT_BUCKETS + bucket * BUCKET_WORDS + BUCKET_SLOTS
    yield* words.subarray(at, at + SLOTS_PER_BUCKET)
  }
}

/** An entry's header of 24 bytes, key, value or both cells of a counter, and times, each padded to a word. */
function entryBytes(words: Int32Array, block: number): number {
  const meta = words[block * BLOCK_WORDS + ENTRY_META]
  const padded = (bytes: number): number => Math.ceil(bytes / 4) * 4
  const isCounter = (meta & 0x40000000) !== 0
  const times = ((meta & 0x10000000) === 0 ? 0 : 8) + ((meta & 0x20000000) === 0 ? 0 : 8)
  return (
    24 + padded(meta & 0xfffff) + (isCounter ? 24 : padded(words[block * BLOCK_WORDS + ENTRY_VALUE_LENGTH])) + times
  )
}

/** The heap by its page table: the blocks that were ever cut, and the pages that hold any. */
function findHeap(words: Int32Array): {
  readonly pages: number
  readonly pagesInUse: number
  bytesOf(block: number): number
} {
  const table = REGISTRY_BLOCK * BLOCK_WORDS + REGISTRY_THREADS * THREAD_WORDS
  // As many pages as there is room for beside 32 bytes of table each, which take whole pages.
  let pages = 0
  while (
    table * 4 + Math.ceil(((pages + 1) * 32) / PAGE_BYTES) * PAGE_BYTES + (pages + 1) * PAGE_BYTES <=
    words.byteLength
  ) {
    pages++
  }
  const first = (words.byteLength - pages * PAGE_BYTES) / BLOCK_BYTES
  const sizes = new Map<number, number>()
  let pagesInUse = 0
  for (let page = 0; page < pages;) {
    const entry = table + page * PAGE_ENTRY_WORDS
    const kind = words[entry + PAGE_KIND] & 0xff
    const run = Math.max(1, words[entry + PAGE_RUN])
    const start = first + page * (PAGE_BYTES / BLOCK_BYTES)
    if (kind === PAGE_LARGE_RUN) sizes.set(start, run * PAGE_BYTES)
    if (kind === PAGE_SPAN) {
      const bytes = CLASS_BYTES[words[entry + PAGE_KIND] >>> 8]
      for (let i = 0; i < words[entry + PAGE_CARVED]; i++) sizes.set(start + (i * bytes) / BLOCK_BYTES, bytes)
    }
    if (kind === PAGE_LARGE_RUN || kind === PAGE_SPAN) pagesInUse += run
    page += run
  }
  return {
    pages,
    pagesInUse,
    bytesOf(block) {
      const bytes = sizes.get(block)
      if (bytes === undefined) throw new Error(`no block begins at ${block}`)
      return bytes
    },
  }
}

/** 16, 32, ... 512 bytes, then eight sizes for each doubling up to 32 KiB. */
const CLASS_BYTES = Array.from({ length: 32 }, (_, i) => 16 * (i + 1))
for (let last = 512; last < 32_768; last *= 2) {
  for (let step = 1; step <= 8; step++) CLASS_BYTES.push(last + (last / 8) * step)
}
