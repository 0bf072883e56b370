import { headerProblem, isRegionSize } from '../format/header.js'
import { BLOCK_BYTES, HEADER_BLOCK_COUNT, MAGIC, PAGE_BYTES } from '../format/layout.js'

/** The bytes with which every region begins, of any format version: what to look for in a core dump. */
export function regionMagic(): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, MAGIC, true)
  return bytes
}

/** Number of bytes that {@link regionLength} needs. */
export const REGION_HEADER_BYTES = PAGE_BYTES

/**
 * Returns the length in bytes of the region that begins with these bytes; undefined if none does: they must be a whole header
 * of this version. Says nothing of what follows. O(1).
 *
 * @param header at least {@link REGION_HEADER_BYTES} bytes
 */
export function regionLength(header: Uint8Array): number | undefined {
  if (header.length < PAGE_BYTES) return undefined
  const words = new Int32Array(header.slice(0, PAGE_BYTES).buffer)
  const bytes = (words[HEADER_BLOCK_COUNT] >>> 0) * BLOCK_BYTES
  return isRegionSize(bytes) && headerProblem(words, bytes) === undefined ? bytes : undefined
}
