import { randomBytes } from 'node:crypto'
import { MapsafeError, MapsafeRangeError } from '../../errors.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  BYTE_ORDER_MARK,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  FORMAT_VERSION,
  HEADER_BLOCK_COUNT,
  HEADER_BYTE_ORDER,
  HEADER_DIRECTORY,
  HEADER_FORMAT_VERSION,
  HEADER_HEAP,
  HEADER_MAGIC,
  HEADER_PAGE_COUNT,
  HEADER_PAGE_TABLE,
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  HEADER_SEGMENT_COUNT,
  HEADER_STATE,
  MAGIC,
  MAX_REGION_BLOCKS,
  MIN_REGION_BYTES,
  PAGE_BLOCKS,
  PAGE_BYTES,
  PAGE_ENTRY_WORDS,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  STATE_READY,
  THREAD_WORDS,
} from '../../region/layout.js'
import { directoryBytes } from './directory.js'
import { classOf, Heap } from './heap.js'
import { Region } from './region.js'

const PAGE_TABLE_BLOCK = REGISTRY_BLOCK + (REGISTRY_THREADS * THREAD_WORDS) / BLOCK_WORDS
const PAGE_ENTRY_BYTES = PAGE_ENTRY_WORDS * 4

/** Heap pages that fit beside their own descriptors. */
function heapPages(regionBytes: number): number {
  const left = regionBytes - PAGE_TABLE_BLOCK * BLOCK_BYTES
  const pages = Math.floor(left / (PAGE_BYTES + PAGE_ENTRY_BYTES))
  const tablePages = Math.ceil((pages * PAGE_ENTRY_BYTES) / PAGE_BYTES)
  return left / PAGE_BYTES - tablePages
}

function isRegionSize(bytes: number): boolean {
  return bytes >= MIN_REGION_BYTES && bytes % PAGE_BYTES === 0 && bytes / BLOCK_BYTES <= MAX_REGION_BLOCKS
}

/**
 * Makes an empty map of `buffer`, which must be zeroed, a whole number of pages long, and known to no other thread yet.
 *
 * @throws {@link MapsafeRangeError} ERR_MAPSAFE_OPTIONS if the length is none a region can have
 */
export function formatRegion(buffer: SharedArrayBuffer | ArrayBuffer): void {
  if (!isRegionSize(buffer.byteLength)) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `a region of ${buffer.byteLength} bytes was asked for; it must be a multiple of ${PAGE_BYTES} bytes, ` +
        `at least ${MIN_REGION_BYTES} and at most ${MAX_REGION_BLOCKS * BLOCK_BYTES}`,
    )
  }
  const region = new Region(buffer)
  const words = region.words
  const pages = heapPages(buffer.byteLength)
  const secret = randomBytes(8)
  words[HEADER_MAGIC] = MAGIC
  words[HEADER_FORMAT_VERSION] = FORMAT_VERSION
  words[HEADER_BYTE_ORDER] = BYTE_ORDER_MARK
  words[HEADER_BLOCK_COUNT] = region.blockCount
  words[HEADER_SECRET_0] = secret.readInt32LE(0)
  words[HEADER_SECRET_1] = secret.readInt32LE(4)
  words[HEADER_PAGE_TABLE] = PAGE_TABLE_BLOCK
  words[HEADER_PAGE_COUNT] = pages
  words[HEADER_HEAP] = region.blockCount - pages * PAGE_BLOCKS

  const heap = new Heap(region)
  const segment = heap.take(classOf(SEGMENT_BYTES / BLOCK_BYTES))
  const directory = heap.take(classOf(Math.ceil(directoryBytes(0) / BLOCK_BYTES)))
  const first = segment * BLOCK_WORDS
  words.fill(0, first, first + SEGMENT_BYTES / 4)
  words[directory * BLOCK_WORDS + DIRECTORY_DEPTH] = 0
  words[directory * BLOCK_WORDS + DIRECTORY_PREVIOUS] = 0
  words[directory * BLOCK_WORDS + DIRECTORY_ENTRIES] = segment
  words[HEADER_SEGMENT_COUNT] = 1
  words[HEADER_DIRECTORY] = directory
  // Last: whoever sees it sees all of the above.
  Atomics.store(words, HEADER_STATE, STATE_READY)
}

/**
 * Checks that `buffer` holds a region of this format, in this machine's byte order.
 *
 * @throws {@link MapsafeError} ERR_MAPSAFE_FORMAT if it does not
 */
export function checkRegion(buffer: SharedArrayBuffer | ArrayBuffer): void {
  const problem = problemOf(buffer)
  if (problem === undefined) return
  throw new MapsafeError('ERR_MAPSAFE_FORMAT', `the memory holds no region that this version can use: ${problem}`)
}

function problemOf(buffer: SharedArrayBuffer | ArrayBuffer): string | undefined {
  const bytes = buffer.byteLength
  if (!isRegionSize(bytes)) return `its length of ${bytes} bytes is none a region can have`
  const words = new Int32Array(buffer, 0, PAGE_BYTES / 4)
  if (Atomics.load(words, HEADER_STATE) !== STATE_READY) return 'it was never completely formatted'
  if (words[HEADER_MAGIC] !== MAGIC) return 'it does not begin with the magic number'
  if (words[HEADER_BYTE_ORDER] !== BYTE_ORDER_MARK) return 'it was written in another byte order'
  if (words[HEADER_FORMAT_VERSION] !== FORMAT_VERSION) {
    return `its format version is ${words[HEADER_FORMAT_VERSION]}, expected ${FORMAT_VERSION}`
  }
  const pages = heapPages(bytes)
  const isConsistent =
    words[HEADER_BLOCK_COUNT] === bytes / BLOCK_BYTES &&
    words[HEADER_PAGE_TABLE] === PAGE_TABLE_BLOCK &&
    words[HEADER_PAGE_COUNT] === pages &&
    words[HEADER_HEAP] === bytes / BLOCK_BYTES - pages * PAGE_BLOCKS
  return isConsistent ? undefined : `it was formatted for another length than ${bytes} bytes`
}
