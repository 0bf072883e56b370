import { randomBytes } from 'node:crypto'
import { MapsafeError, MapsafeRangeError } from '../../base/errors.js'
import { writeSettings, type CacheSettings } from '../../format/cache-settings.js'
import { heapBlock, heapPages, PAGE_TABLE_BLOCK } from '../../format/geometry.js'
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
  HEADER_RELIEF_LIMIT,
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  HEADER_SEGMENT_COUNT,
  HEADER_STATE,
  MAGIC,
  MAX_REGION_BLOCKS,
  MIN_REGION_BYTES,
  PAGE_BYTES,
  RELIEF_PART,
  SEGMENT_BYTES,
  STATE_READY,
} from '../../format/layout.js'
import { directoryBytes } from './index/directory.js'
import { areaPages, formatArea, partitionsFor } from '../../format/eviction-area.js'
import { classOf, Heap } from './memory/heap.js'
import { Region } from '../../format/region.js'

// What this machine reads where one of the other byte order wrote the constant.
const SWAPPED_MAGIC = 0x4d534146
const SWAPPED_BYTE_ORDER_MARK = 0x04030201

function isRegionSize(bytes: number): boolean {
  return bytes >= MIN_REGION_BYTES && bytes % PAGE_BYTES === 0 && bytes / BLOCK_BYTES <= MAX_REGION_BLOCKS
}

/**
 * Makes an empty map, or cache, of `buffer`, which must be zeroed, a whole number of pages long, and known to no other
 * thread yet.
 *
 * @throws {@link MapsafeRangeError} ERR_MAPSAFE_OPTIONS if the length is none a region can have
 */
export function formatRegion(buffer: SharedArrayBuffer | ArrayBuffer, cache?: CacheSettings): void {
  if (!isRegionSize(buffer.byteLength)) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `a region of ${buffer.byteLength} bytes was asked for; it must be a multiple of ${PAGE_BYTES} bytes, ` +
        `at least ${MIN_REGION_BYTES} and at most ${MAX_REGION_BLOCKS * BLOCK_BYTES}`,
    )
  }
  const region = new Region(buffer)
  const words = region.words
  const secret = randomBytes(8)
  words[HEADER_MAGIC] = MAGIC
  words[HEADER_FORMAT_VERSION] = FORMAT_VERSION
  words[HEADER_BYTE_ORDER] = BYTE_ORDER_MARK
  words[HEADER_BLOCK_COUNT] = region.blockCount
  if (cache !== undefined) writeSettings(words, cache)
  words[HEADER_SECRET_0] = secret.readInt32LE(0)
  words[HEADER_SECRET_1] = secret.readInt32LE(4)
  words[HEADER_PAGE_TABLE] = PAGE_TABLE_BLOCK
  words[HEADER_PAGE_COUNT] = heapPages(buffer.byteLength)
  words[HEADER_HEAP] = heapBlock(buffer.byteLength)

  const heap = new Heap(region)
  const segment = heap.take(classOf(SEGMENT_BYTES / BLOCK_BYTES))
  const directory = heap.take(classOf(Math.ceil(directoryBytes(0) / BLOCK_BYTES)))
  if (cache !== undefined) {
    const maxEntries = cache.maxEntries ?? 0
    const partitions = partitionsFor(maxEntries, buffer.byteLength)
    formatArea(words, heap.takeRun(areaPages(partitions)), partitions, maxEntries)
  }
  heap.commit()
  const first = segment * BLOCK_WORDS
  words.fill(0, first, first + SEGMENT_BYTES / 4)
  words[directory * BLOCK_WORDS + DIRECTORY_DEPTH] = 0
  words[directory * BLOCK_WORDS + DIRECTORY_PREVIOUS] = 0
  words[directory * BLOCK_WORDS + DIRECTORY_ENTRIES] = segment
  words[HEADER_SEGMENT_COUNT] = 1
  words[HEADER_RELIEF_LIMIT] = Math.floor(buffer.byteLength / RELIEF_PART / SEGMENT_BYTES)
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
  const isTooShort = buffer.byteLength < MIN_REGION_BYTES
  const problem = isTooShort
    ? `its length of ${buffer.byteLength} bytes is none a region can have`
    : headerProblem(new Int32Array(buffer, 0, PAGE_BYTES / 4), buffer.byteLength)
  if (problem === undefined) return
  throw new MapsafeError('ERR_MAPSAFE_FORMAT', `the memory holds no region that this version can use: ${problem}`)
}

/**
 * What keeps this version from using a region of `bytes` bytes that begins with the page `header`, as the end of a
 * sentence.
 */
export function headerProblem(header: Int32Array, bytes: number): string | undefined {
  // First, for it was stored last.
  const state = Atomics.load(header, HEADER_STATE)
  const isSwapped = header[HEADER_BYTE_ORDER] === SWAPPED_BYTE_ORDER_MARK
  if (isSwapped && header[HEADER_MAGIC] === SWAPPED_MAGIC) return 'it was written in another byte order'
  if (header[HEADER_MAGIC] !== MAGIC) return 'it does not begin with the magic number'
  if (header[HEADER_FORMAT_VERSION] !== FORMAT_VERSION) {
    return `its format version is ${header[HEADER_FORMAT_VERSION] >>> 0}, expected ${FORMAT_VERSION}`
  }
  if (state !== STATE_READY) return 'it was never completely formatted'
  const formattedBytes = header[HEADER_BLOCK_COUNT] * BLOCK_BYTES
  if (bytes !== formattedBytes) {
    return `it is ${bytes} bytes long, but was formatted for ${formattedBytes}${bytes < formattedBytes ? ': it was cut off' : ''}`
  }
  if (!isRegionSize(bytes)) return `its length of ${bytes} bytes is none a region can have`
  const isConsistent =
    header[HEADER_BYTE_ORDER] === BYTE_ORDER_MARK &&
    header[HEADER_PAGE_TABLE] === PAGE_TABLE_BLOCK &&
    header[HEADER_PAGE_COUNT] === heapPages(bytes) &&
    header[HEADER_HEAP] === heapBlock(bytes)
  return isConsistent ? undefined : 'its header contradicts itself'
}
