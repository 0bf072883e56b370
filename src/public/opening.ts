import { createPlace, findPlaceOf, type Kind, type MapHandle, type Place } from './handle.js'
import {
  resolveAttachOptions,
  resolveCacheOptions,
  resolveMapOptions,
  type AttachOptions,
  type ConcurrentCacheOptions,
  type ConcurrentMapOptions,
  type ResolvedAttachOptions,
} from './options.js'

/**
 * The map or cache, new or existing, that a map object opens. Passed to the constructor in the place of its options, so
 * that `attach` needs no second way of construction.
 */
export class Opening {
  // Declared so that an Opening has the type of options.
  declare readonly engine: undefined
  declare readonly freeze: undefined
  declare readonly nearCache: undefined
  declare readonly trustFile: undefined

  private constructor(
    readonly place: Place,
    readonly options: ResolvedAttachOptions,
  ) {}

  static newMap(options: ConcurrentMapOptions | undefined): Opening {
    const resolved = resolveMapOptions(options)
    return new Opening(createPlace('mapsafe.map', resolved, resolved.trustFile), resolved)
  }

  static newCache(options: ConcurrentCacheOptions | undefined): Opening {
    const resolved = resolveCacheOptions(options)
    return new Opening(createPlace('mapsafe.cache', resolved, resolved.trustFile), resolved)
  }

  static existing(kind: Kind, handle: MapHandle, options: AttachOptions | undefined): Opening {
    const resolved = resolveAttachOptions(options)
    return new Opening(findPlaceOf(kind, handle, resolved.trustFile), resolved)
  }
}
