import { corruptValue } from '../value-error.js'

type View = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView

interface ViewType {
  readonly Type: View
  readonly elementBytes: number
}

const viewTypes = new Map<number, ViewType>()
/** Constructors of views, by the names of their types. */
export const Views: Record<string, new (buffer: ArrayBuffer) => ArrayBufferView> = {}
for (const [tag, Type] of Object.entries({
  ...{
    b: Int8Array,
    B: Uint8Array,
    C: Uint8ClampedArray,
    w: Int16Array,
    W: Uint16Array,
    d: Int32Array,
    D: Uint32Array,
  },
  ...{ f: Float32Array, F: Float64Array, q: BigInt64Array, Q: BigUint64Array, '?': DataView },
  // Node.js 20 and 22 have no Float16Array.
  h: (globalThis as { Float16Array?: typeof Float32Array }).Float16Array,
})) {
  if (Type === undefined) continue
  const elementBytes = 'BYTES_PER_ELEMENT' in Type ? Type.BYTES_PER_ELEMENT : 1
  Views[Type.name] = Type
  viewTypes.set(tag.charCodeAt(0), { Type, elementBytes })
}

/**
 * Reads the description of a view of `buffer` in V8's format: type, offset, length in bytes, flags.
 *
 * @param next reads the next number
 * @throws MapsafeError `ERR_MAPSAFE_CORRUPT` if such a view cannot exist
 */
export function readView(buffer: ArrayBuffer, next: () => number): ArrayBufferView {
  const type = viewTypes.get(next())
  const offset = next()
  const bytes = next()
  // Flags must be 0: the walk leaves no buffer resizable.
  if (type === undefined || next() !== 0) throw corruptValue()
  const { Type, elementBytes } = type
  if (offset + bytes > buffer.byteLength || offset % elementBytes !== 0 || bytes % elementBytes !== 0) {
    throw corruptValue()
  }
  return new Type(buffer, offset, bytes / elementBytes)
}
