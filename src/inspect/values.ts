import { NEVER_ADDED } from '../codec/shape-table.js'
import { ValueCodecs } from '../codec/value.js'
import type { Region } from '../format/region.js'
import { ShapeTable } from '../format/shapes.js'

/**
 * Decodes the first `length` bytes of `words`, a copy of a value.
 *
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT`, or `ERR_MAPSAFE_FORMAT` for a kind that only a later version knows
 */
export type ValueReader = (kind: number, words: Int32Array, length: number) => unknown

/** Returns a reader of the values of a region, which adds nothing to its table of shapes. */
export function valueReader(region: Region): ValueReader {
  const table = new ShapeTable(region)
  const shapes = { count: () => table.count, read: (id: number) => table.read(id), add: () => NEVER_ADDED }
  const codecs = new ValueCodecs(false, () => shapes)
  return (kind, words, length) => codecs.decodeAny(kind, new Uint8Array(words.buffer, words.byteOffset, length))
}
