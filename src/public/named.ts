import { describe } from '../base/describe.js'
import { MapsafeError, MapsafeTypeError } from '../base/errors.js'
import { readSettings } from '../format/cache-settings.js'
import { PAGE_BYTES } from '../format/layout.js'
import { askForRecord, isMainThread, knownRecord, nameRecord } from '../platform/names.js'
import { leadsTo } from '../storage/file.js'
import { checkOwnOptions, checkSharedOptions, contradict } from './contradictions.js'
import type { Kind, MapHandle, Place } from './handle.js'
import { noteName } from './names-of-maps.js'
import { Opening, type MapClass, type OpenedMap } from './opening.js'
import {
  resolveCacheOptions,
  resolveMapOptions,
  type ConcurrentCacheOptions,
  type ResolvedMapOptions,
} from './options.js'

// Maps by name. The main thread makes them, so that two threads that come at once cannot make two: a worker finds what the
// main thread has opened, or is refused. A map in a file may be opened by any thread first, since files are made once.

/** A map object that this thread has opened by a name. */
interface Named {
  readonly map: OpenedMap
  readonly place: Place
  readonly options: ResolvedMapOptions
}

/** The maps that this thread has open by name, for each class. */
const opened = new Map<unknown, Map<string, Named>>()

/**
 * Opens the map with this name, or makes it: what `ConcurrentMap.open` and `ConcurrentCache.open` document.
 *
 * @param base the class on which `open` stands, `receiver` what it was called on
 */
export function openNamed<M extends OpenedMap>(
  kind: Kind,
  name: unknown,
  given: ConcurrentCacheOptions<boolean> | undefined,
  base: MapClass<M>,
  receiver: unknown,
): M {
  if (typeof name !== 'string' || name === '') {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Argument name is ${describe(name)}; expected a text that names the map.`,
    )
  }
  const options = kind === 'mapsafe.map' ? resolveMapOptions(given) : resolveCacheOptions(given)
  const ofClass = mapsOf(typeof receiver === 'function' ? receiver : base)
  const already = ofClass.get(name)
  if (already !== undefined && already.map.toJSON().closed !== true) {
    checkPlace(name, kind, options, already.place)
    checkOwnOptions(name, given ?? {}, options, already.options)
    return already.map as M
  }
  const opening = openingOf(kind, name, { ...given, name: options.name ?? name }, options)
  const map = opening.open(base, receiver)
  ofClass.set(name, { map, place: opening.place, options })
  noteName(map, name)
  return map
}

function mapsOf(receiver: unknown): Map<string, Named> {
  let maps = opened.get(receiver)
  if (maps === undefined) opened.set(receiver, (maps = new Map<string, Named>()))
  return maps
}

function openingOf(
  kind: Kind,
  name: string,
  given: ConcurrentCacheOptions<boolean>,
  options: ResolvedMapOptions,
): Opening {
  const { engine, freeze, nearEntries, trustFile, file } = options
  const nearCache = nearEntries === 0 ? false : ({ maxEntries: nearEntries } as const)
  const mayMake = isMainThread || file !== undefined
  const handle = (knownRecord(name) ?? (mayMake ? undefined : askForRecord(name))) as MapHandle | undefined
  if (handle === undefined && !mayMake) throw unknownName(name)
  if (handle !== undefined) checkHandle(name, kind, options, handle)
  if (handle !== undefined && file === undefined) {
    const { name: label, lostUpdates, guard, loadDefaults, breaker } = given
    const ofCache = kind === 'mapsafe.cache' ? { loadDefaults, breaker } : {}
    const opening = Opening.existing(kind, handle, {
      engine,
      freeze,
      nearCache,
      trustFile,
      name: label,
      lostUpdates,
      guard,
      ...ofCache,
    })
    checkPlace(name, kind, options, opening.place)
    return opening
  }
  const opening = kind === 'mapsafe.map' ? Opening.newMap(given) : Opening.newCache(given)
  nameRecord(name, { ...opening.place.handle })
  return opening
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if the map with this name is of another kind or in another file */
function checkHandle(name: string, kind: Kind, { file }: ResolvedMapOptions, handle: MapHandle): void {
  if (handle.kind !== kind) {
    const [made, asked] = [classOf(handle.kind), classOf(kind)]
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The name ${describe(name)} is that of a ${made}, and was asked for as a ${asked}. Open it with ${made}.open, or ` +
        'choose another name.',
    )
  }
  if (file !== undefined && (handle.file === undefined || !leadsTo(file, handle.file))) {
    contradict(name, 'file', file, handle.file)
  }
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if the map with this name was made with other options than those given */
function checkPlace(name: string, kind: Kind, options: ResolvedMapOptions, { handle, region }: Place): void {
  checkHandle(name, kind, options, handle)
  const { maxBytes, cache } = options
  const made = readSettings(new Int32Array(region, 0, PAGE_BYTES / 4))
  if (maxBytes !== undefined && maxBytes !== region.byteLength)
    contradict(name, 'maxBytes', maxBytes, region.byteLength)
  if (cache !== undefined) checkSharedOptions(name, cache, made)
}

function unknownName(name: string): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_NAME',
    `The main thread has opened no map named ${describe(name)}, or did not answer this worker for 2 seconds. Open it in the ` +
      "main thread before its workers ask for it, give the option 'file', or send the handle of a map to this worker.",
  )
}

function classOf(kind: Kind): string {
  return kind === 'mapsafe.map' ? 'ConcurrentMap' : 'ConcurrentCache'
}
