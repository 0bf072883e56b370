import { optionOf } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import { checkRegion, isRegionSize } from '../format/header.js'
import { BLOCK_BYTES, HEADER_BLOCK_COUNT } from '../format/layout.js'
import { isSharedArrayBuffer, isUint8Array, types } from '../platform/brands.js'
import { openToRead } from '../storage/reading.js'

/** The part of a map's handle that says where the map is. */
export interface InspectedHandle {
  /** Path of the map's file; a handle has the absolute one. */
  readonly file?: string
  /** The map's memory. */
  readonly region?: SharedArrayBuffer
}

/**
 * A source to inspect: the path of a map file or of a copy of one; the handle of a map; or bytes that begin with a
 * region and may be longer, like a piece of a core dump.
 */
export type InspectionSource = string | SharedArrayBuffer | ArrayBuffer | Uint8Array | InspectedHandle

/** A region's bytes, and facts about their origin. */
export interface Source {
  readonly region: SharedArrayBuffer | ArrayBuffer
  /** Absolute path of the file, without symbolic links. */
  readonly file: string | undefined
  /** Whether the bytes change when other threads write. */
  readonly isLive: boolean
  /** Whether the bytes were read one after the other, perhaps while other threads wrote. */
  readonly isRead: boolean
  /** Whether the file is a copy that no thread has opened as a map yet. */
  readonly isCopy: boolean
  isLocked(record: number): boolean | undefined
  close(): void
}

/**
 * @param trusts as `trustFile`
 * @param copies whether to copy bytes that can change, and to inspect the copy
 * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` if `source` is not such a source
 * @throws MapsafeError as `openToRead` does
 */
export function openSource(source: unknown, trusts: boolean, copies: boolean): Source {
  if (typeof source === 'string' && source !== '' && !source.includes('\0')) return fromFile(source, trusts, copies)
  if (types.isAnyArrayBuffer(source)) return fromBytes(new Uint8Array(source), copies)
  if (isUint8Array(source)) {
    return fromBytes(new Uint8Array(source.buffer, source.byteOffset, source.length), copies)
  }
  if (typeof source === 'object' && source !== null) {
    const region = optionOf(source, 'region')
    const file = optionOf(source, 'file')
    if (isSharedArrayBuffer(region)) return fromBytes(new Uint8Array(region), copies)
    if (typeof file === 'string') return openSource(file, trusts, copies)
  }
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `Argument source is ${describe(source)}; expected the path of a map file, the handle of a map, or a SharedArrayBuffer, ` +
      'ArrayBuffer or Uint8Array that begins with a region.',
  )
}

function fromFile(path: string, trusts: boolean, copies: boolean): Source {
  const file = openToRead(path, trusts, copies)
  return {
    region: file.region,
    file: file.path,
    isLive: file.isMapped,
    isRead: !file.isMapped,
    get isCopy() {
      return file.isCopy
    },
    isLocked: (record) => file.isLocked(record),
    close: () => file.close(),
  }
}

function fromBytes(given: Uint8Array, copies: boolean): Source {
  const bytes = given.subarray(0, regionBytes(given))
  const { buffer } = bytes
  const isWhole = bytes.byteOffset === 0 && bytes.length === buffer.byteLength && !isResizable(buffer)
  // The region must be aligned, and of a fixed length.
  const region = isWhole && !copies ? buffer : new Uint8Array(bytes).buffer
  checkRegion(region)
  return {
    region,
    file: undefined,
    isLive: isSharedArrayBuffer(region),
    isRead: region !== buffer && isSharedArrayBuffer(buffer),
    isCopy: false,
    isLocked: () => undefined,
    close: () => undefined,
  }
}

/** Returns the length that the region at the beginning claims; that of all bytes, if the claim is impossible. */
function regionBytes(bytes: Uint8Array): number {
  const at = HEADER_BLOCK_COUNT * 4
  if (bytes.length < at + 4) return bytes.length
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const formatted = view.getUint32(at, true) * BLOCK_BYTES
  return isRegionSize(formatted) ? Math.min(formatted, bytes.length) : bytes.length
}

function isResizable(buffer: ArrayBufferLike): boolean {
  const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean }
  return resizable === true || growable === true
}
