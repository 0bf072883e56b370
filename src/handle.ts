import { types } from 'node:util'
import { describe } from './describe.js'
import { formatRegion } from './engine/typescript/format.js'
import { MapsafeRangeError, MapsafeTypeError } from './errors.js'
import { PAGE_BYTES } from './region/layout.js'

const KIND = 'mapsafe.map'

/**
 * What another thread needs to open a map. Plain and structured-cloneable, so that `postMessage` and `workerData` carry it; the
 * memory behind it is shared, not copied.
 */
export interface MapHandle {
  readonly kind: typeof KIND
  readonly region: SharedArrayBuffer
}

/**
 * Makes an empty map's region.
 *
 * @param maxBytes its size, rounded down to whole pages
 * @throws MapsafeRangeError `ERR_MAPSAFE_OPTIONS` if the system does not give as much memory in one piece
 */
export function createHandle(maxBytes: number): MapHandle {
  let region: SharedArrayBuffer
  try {
    region = new SharedArrayBuffer(maxBytes - (maxBytes % PAGE_BYTES))
  } catch (error) {
    throw new MapsafeRangeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option maxBytes is ${maxBytes}, but this system gives no shared memory of that size. Choose a smaller one.`,
      { cause: error },
    )
  }
  formatRegion(region)
  return Object.freeze({ kind: KIND, region })
}

/** @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` if `handle` is no handle */
export function checkHandle(handle: unknown): MapHandle {
  if (typeof handle === 'object' && handle !== null) {
    const { kind, region } = handle as Partial<Record<keyof MapHandle, unknown>>
    if (kind === KIND && types.isSharedArrayBuffer(region)) return Object.freeze({ kind: KIND, region })
  }
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `The handle is ${describe(handle)}; expected the property "handle" of another thread's map, as it was received.`,
  )
}
