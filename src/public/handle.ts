import { types } from '../platform/brands.js'
import { optionOf } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { repairAndVerify } from '../engine/soundness.js'
import { formatRegion } from '../engine/open.js'
import { MapsafeError, MapsafeRangeError, MapsafeTypeError } from '../base/errors.js'
import { showLengthOf } from './inspect-form.js'
import type { ResolvedPlace } from './options.js'
import { checkSettings, isCache } from '../format/cache-settings.js'
import { absolutePath, baseName, checkLength, isAbsolute, openFile, openOrCreateFile } from '../storage/file.js'

const DEFAULT_MAX_BYTES = 64 * 2 ** 20
/** The class that opens each kind of handle. */
const CLASSES = { 'mapsafe.map': 'ConcurrentMap', 'mapsafe.cache': 'ConcurrentCache' } as const

/** What maps without a name and a file are called. */
const KINDS = { 'mapsafe.map': 'map', 'mapsafe.cache': 'cache' } as const

/** Whether a region holds a map or a cache. */
export type Kind = keyof typeof CLASSES

/**
 * The object with which another thread opens a map or cache. Has either `region` or `file`. Plain and
 * structured-cloneable, so that `postMessage` and `workerData` carry it. The handle of a map in a file can also be sent
 * as JSON, so that it reaches other processes.
 */
export interface MapHandle {
  /** Which class opens it: `ConcurrentMap.attach` or `ConcurrentCache.attach`. */
  readonly kind: Kind
  /**
   * The memory of a map that the threads of one process share, `maxBytes` long; `postMessage` shares it instead of
   * copying it.
   */
  readonly region?: SharedArrayBuffer
  /** Absolute path, without symbolic links, of a map in a file. */
  readonly file?: string
  /** What the map is called in metrics and events, if it was opened with a name. */
  readonly name?: string
}

/** A {@link MapHandle} of a `ConcurrentCache`. */
export interface CacheHandle extends MapHandle {
  /** `ConcurrentCache.attach` opens it. */
  readonly kind: 'mapsafe.cache'
}

/** A map's memory as this thread sees it, and the handle that leads others to it. */
export interface Place {
  readonly handle: MapHandle
  readonly region: SharedArrayBuffer | ArrayBuffer
}

/**
 * Makes the region of an empty map, or with `file` opens the region in that file if the file exists.
 *
 * @throws MapsafeRangeError `ERR_MAPSAFE_OPTIONS` if the system cannot provide so much memory in one piece, or if the
 * file has another size or other settings
 * @throws MapsafeError `ERR_MAPSAFE_FORMAT` if the file's region is of another kind; the errors of
 * {@link openOrCreateFile}
 */
export function createPlace(kind: Kind, { maxBytes, file, cache, name }: ResolvedPlace, trustFile = false): Place {
  const bytes = maxBytes ?? DEFAULT_MAX_BYTES
  if (file === undefined) return createInMemory(kind, bytes, cache, name)
  const opened = openOrCreateFile(absolutePath(file), trustFile, bytes, {
    format: (region) => formatRegion(region, cache),
    repairAndVerify,
  })
  checkKind(kind, opened.region)
  if (maxBytes !== undefined) checkLength(opened, maxBytes)
  if (cache !== undefined) checkSettings(opened.path, opened.region, cache)
  return { handle: handleOf({ kind, file: opened.path, ...named(name) }), region: opened.region }
}

/**
 * Finds the region that a handle names.
 *
 * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` if `handle` is not a handle
 * @throws MapsafeError as {@link openFile} does
 */
export function findPlace(handle: unknown, trustFile = false): Place {
  if (typeof handle === 'object' && handle !== null) {
    const kind = optionOf(handle, 'kind')
    const region = optionOf(handle, 'region')
    const file = optionOf(handle, 'file')
    const name = named(optionOf(handle, 'name'))
    if (isKind(kind) && types.isSharedArrayBuffer(region))
      return { handle: handleOf({ kind, region, ...name }), region }
    if (isKind(kind) && typeof file === 'string' && isAbsolute(file)) {
      return {
        handle: handleOf({ kind, file, ...name }),
        region: openFile(file, trustFile, { repairAndVerify }).region,
      }
    }
  }
  throw new MapsafeTypeError(
    'ERR_MAPSAFE_OPTIONS',
    `The handle is ${describe(handle)}; expected the property "handle" of another thread's map, as it was received.`,
  )
}

/**
 * Finds the region that a handle names, as {@link findPlace} does, and checks that it is of the kind expected.
 *
 * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` if the handle is of another kind
 * @throws MapsafeError `ERR_MAPSAFE_FORMAT` if the region is of another kind than the handle says
 */
export function findPlaceOf(expected: Kind, handle: MapHandle, trustFile = false): Place {
  const place = findPlace(handle, trustFile)
  const { kind } = place.handle
  if (kind !== expected) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The handle is one of a ${CLASSES[kind]}; open it with ${CLASSES[kind]}.attach, not ${CLASSES[expected]}.attach.`,
    )
  }
  checkKind(expected, place.region)
  return place
}

/** Returns the part of a handle that names the map; empty without a name. */
function named(name: unknown): { readonly name?: string } {
  return typeof name === 'string' && name !== '' ? { name } : {}
}

/** Returns what a map is called: by its name, else by its file or its kind. */
export function labelOf({ kind, file, name }: MapHandle, own: string | undefined): string {
  return own ?? name ?? (file === undefined ? KINDS[kind] : baseName(file))
}

function handleOf(handle: MapHandle): MapHandle {
  if (handle.region !== undefined) showLengthOf(handle.region)
  return Object.freeze(handle)
}

function isKind(kind: unknown): kind is Kind {
  return typeof kind === 'string' && Object.hasOwn(CLASSES, kind)
}

/** Checks the kind of a region. The engines check whether the memory holds a region at all. */
function checkKind(expected: Kind, region: SharedArrayBuffer | ArrayBuffer): void {
  const kind = isCache(region) ? 'mapsafe.cache' : 'mapsafe.map'
  if (kind === expected) return
  throw new MapsafeError(
    'ERR_MAPSAFE_FORMAT',
    `The memory is one of a ${CLASSES[kind]}, and cannot be opened as a ${CLASSES[expected]}.`,
  )
}

function createInMemory(kind: Kind, bytes: number, cache: ResolvedPlace['cache'], name: string | undefined): Place {
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
  formatRegion(region, cache)
  return { handle: handleOf({ kind, region, ...named(name) }), region }
}
