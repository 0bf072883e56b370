import { randomBytes } from '../../platform/random.js'
import { MapsafeRangeError } from '../../base/errors.js'
import { writeSettings, type CacheSettings } from '../../format/cache-settings.js'
import { heapBlock, heapPages, PAGE_TABLE_BLOCK } from '../../format/geometry.js'
import { isRegionSize } from '../../format/header.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  BYTE_ORDER_MARK,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  FEATURE_JOINS,
  FORMAT_VERSION,
  HEADER_BLOCK_COUNT,
  HEADER_BYTE_ORDER,
  HEADER_DIRECTORY,
  HEADER_FEATURES,
  HEADER_FORMAT_VERSION,
  HEADER_HEAP,
  HEADER_MAGIC,
  HEADER_PAGE_COUNT,
  HEADER_PAGE_TABLE,
  HEADER_RELIEF_LIMIT,
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  HEADER_SEGMENT_COUNT,
  HEADER_SHAPE_CHILDREN,
  HEADER_SHAPE_LIMIT,
  HEADER_STATE,
  MAGIC,
  MAX_REGION_BLOCKS,
  MIN_REGION_BYTES,
  PAGE_BYTES,
  RELIEF_PART,
  SEGMENT_BYTES,
  STATE_READY,
} from '../../format/layout.js'
import { directoryBytes } from '../../format/directory.js'
import { areaPages, formatArea, partitionsFor } from '../../format/eviction-area.js'
import { Heap } from './memory/heap.js'
import { classOf } from '../../format/size-classes.js'
import { shapeChildrenFor, shapeLimitFor } from '../../format/shapes.js'
import { Region } from '../../format/region.js'

/**
 * Makes an empty map, or cache, in `buffer`, which must be zeroed, a whole number of pages long, and known to no other
 * thread yet.
 *
 * @throws {@link MapsafeRangeError} ERR_MAPSAFE_OPTIONS if a region cannot have that length
 */
export function formatRegion(buffer: SharedArrayBuffer | ArrayBuffer, cache?: CacheSettings): void {
  if (!isRegionSize(buffer.byteLength)) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `A region of ${buffer.byteLength} bytes was asked for; expected a multiple of ${PAGE_BYTES} bytes, ` +
        `at least ${MIN_REGION_BYTES} and at most ${MAX_REGION_BLOCKS * BLOCK_BYTES}.`,
    )
  }
  const region = new Region(buffer)
  const words = region.words
  const secret = randomBytes(8)
  words[HEADER_MAGIC] = MAGIC
  words[HEADER_FORMAT_VERSION] = FORMAT_VERSION
  words[HEADER_BYTE_ORDER] = BYTE_ORDER_MARK
  words[HEADER_FEATURES] = FEATURE_JOINS
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
  words[HEADER_SHAPE_LIMIT] = shapeLimitFor(buffer.byteLength)
  words[HEADER_SHAPE_CHILDREN] = shapeChildrenFor(words[HEADER_SHAPE_LIMIT])
  words[HEADER_RELIEF_LIMIT] = Math.floor(buffer.byteLength / RELIEF_PART / SEGMENT_BYTES)
  words[HEADER_DIRECTORY] = directory
  // Stored last: a thread that sees it sees all of the above.
  Atomics.store(words, HEADER_STATE, STATE_READY)
}
