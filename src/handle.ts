import { isAbsolute, resolve } from 'node:path'
import { types } from 'node:util'
import { describe } from './describe.js'
import { formatRegion } from './engine/typescript/format.js'
import { MapsafeRangeError, MapsafeTypeError } from './errors.js'
import type { ResolvedPlace } from './options.js'
import { checkLength, openFile, openOrCreateFile } from './region/file.js'

const KIND = 'mapsafe.map'
const DEFAULT_MAX_BYTES = 64 * 2 ** 20

/**
 * What another thread needs to open a map: either of the two. Plain and structured-cloneable, so that `postMessage` and
 * `workerData` carry it. Of a map in a file it is JSON, too, so that it reaches other processes.
 */
export interface MapHandle {
  readonly kind: typeof KIND
  /** The memory of a map that the threads of one process share: it is shared, not copied. */
  readonly region?: SharedArrayBuffer
  /** Absolute path, without symbolic links, of a map in a file. */
  readonly file?: string
}

/** A map's memory as this thread has it, and how others get there. */
export interface Place {
  readonly handle: MapHandle
  readonly region: SharedArrayBuffer | ArrayBuffer
}

/**
 * Makes an empty map's region, or with `file` opens the one in that file if it is there.
 *
 * @throws MapsafeRangeError `ERR_MAPSAFE_OPTIONS` if the system does not give as much memory in one piece, or if the file has
 * another size
 * @throws MapsafeError as {@link openOrCreateFile}
 */
export function createPlace({ maxBytes, file }: ResolvedPlace): Place {
  const bytes = maxBytes ?? DEFAULT_MAX_BYTES
  if (file === undefined) return createInMemory(bytes)
  const opened = openOrCreateFile(resolve(file), bytes, formatRegion)
  if (maxBytes !== undefined) checkLength(opened, maxBytes)
  return { handle: Object.freeze({ kind: KIND, file: opened.path }), region: opened.region }
}

/**
 * Finds the region that a handle names.
 *
 * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` if `handle` is no handle
 * @throws MapsafeError as {@link openFile}
 */
export function findPlace(handle: unknown): Place {
  if (typeof handle === 'object' && handle !== null) {
    const { kind, region, file } = handle as Partial<Record<keyof MapHandle, unknown>>
    if (kind === KIND && types.isSharedArrayBuffer(region)) return { handle: Object.freeze({ kind, region }), region }
    if (kind === KIND && typeof file === 'string' && isAbsolute(file)) {
      return { handle: Object.freeze({ kind, file }), region: openFile(file).region }
    }
  }
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `The handle is ${describe(handle)}; expected the property "handle" of another thread's map, as it was received.`,
  )
}

function createInMemory(bytes: number): Place {
  let region: SharedArrayBuffer
  try {
    region = new SharedArrayBuffer(bytes)
  } catch (error) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option maxBytes is ${bytes}, but this system gives no shared memory of that size. Choose a smaller one.`,
      { cause: error },
    )
  }
  formatRegion(region)
  return { handle: Object.freeze({ kind: KIND, region }), region }
}
