/** Checks of a region's first page, which precede all use of the region. See docs/internals/format.md, "Header". */
import { MapsafeError } from '../base/errors.js'
import { heapBlock, heapPages, PAGE_TABLE_BLOCK } from './geometry.js'
import {
  BLOCK_BYTES,
  BYTE_ORDER_MARK,
  FORMAT_VERSION,
  HEADER_BLOCK_COUNT,
  HEADER_BYTE_ORDER,
  HEADER_FEATURES,
  HEADER_FORMAT_VERSION,
  HEADER_HEAP,
  HEADER_MAGIC,
  HEADER_PAGE_COUNT,
  HEADER_PAGE_TABLE,
  HEADER_STATE,
  KNOWN_FEATURES,
  MAGIC,
  MAX_REGION_BLOCKS,
  MIN_REGION_BYTES,
  PAGE_BYTES,
  STATE_READY,
} from './layout.js'

// The number that this machine reads where a machine of the other byte order wrote the constant.
const SWAPPED_MAGIC = 0x4d534146
const SWAPPED_BYTE_ORDER_MARK = 0x04030201

/** Returns whether a region can have that many bytes. */
export function isRegionSize(bytes: number): boolean {
  return bytes >= MIN_REGION_BYTES && bytes % PAGE_BYTES === 0 && bytes / BLOCK_BYTES <= MAX_REGION_BLOCKS
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
  throw new MapsafeError(
    'ERR_MAPSAFE_FORMAT',
    `The memory holds no map that this version of mapsafe can use: ${problem}. Open it with the version that made it, or ` +
      'make a new map.',
  )
}

/** Says how the entries of a region of another format version are still to be had. */
function advice(version: number): string {
  if (version > FORMAT_VERSION) return 'a later version of mapsafe made it; install that one'
  return (
    'an earlier version of mapsafe made it. To carry its entries over, read them with that version, as ' +
    '[...map.snapshot()], and give them to setMany() of a new map with this one'
  )
}

/**
 * Returns why this version cannot use a region of `bytes` bytes that begins with the page `header`, as the end of a
 * sentence.
 */
export function headerProblem(header: Int32Array, bytes: number): string | undefined {
  // Loads the state first, since it was stored last.
  const state = Atomics.load(header, HEADER_STATE)
  const isSwapped = header[HEADER_BYTE_ORDER] === SWAPPED_BYTE_ORDER_MARK
  if (isSwapped && header[HEADER_MAGIC] === SWAPPED_MAGIC) return 'it was written in another byte order'
  if (header[HEADER_MAGIC] !== MAGIC) return 'it does not begin with the magic number'
  const version = header[HEADER_FORMAT_VERSION] >>> 0
  if (version !== FORMAT_VERSION)
    return `its format version is ${version}, expected ${FORMAT_VERSION}: ${advice(version)}`
  const foreign = header[HEADER_FEATURES] & ~KNOWN_FEATURES
  if (foreign !== 0) {
    return `it uses features of the format that this version does not have (0x${(foreign >>> 0).toString(16)}): a later version made it`
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
