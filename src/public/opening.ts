import { MapsafeTypeError } from '../base/errors.js'
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

/** A class of maps, `ConcurrentMap` or one derived from it, with instances of type `M`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- whatever the constructor of a subclass asks for
export type MapClass<M> = new (options: any) => M

/** What a map object has that lets an Opening see which map it opened. */
export interface OpenedMap {
  readonly handle: MapHandle
  toJSON(): { readonly closed?: true }
  close(): void
}

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
  declare readonly name: undefined
  declare readonly loadDefaults: undefined
  declare readonly breaker: undefined
  // Private fields, so that a subclass that copies its options makes a map of its own, which `open` notices.
  readonly #place: Place
  readonly #options: ResolvedAttachOptions

  private constructor(place: Place, options: ResolvedAttachOptions) {
    this.#place = place
    this.#options = options
  }

  static newMap(options: ConcurrentMapOptions<boolean> | undefined): Opening {
    const resolved = resolveMapOptions(options)
    return new Opening(createPlace('mapsafe.map', resolved, resolved.trustFile), resolved)
  }

  static newCache(options: ConcurrentCacheOptions<boolean> | undefined): Opening {
    const resolved = resolveCacheOptions(options)
    return new Opening(createPlace('mapsafe.cache', resolved, resolved.trustFile), resolved)
  }

  static existing(kind: Kind, handle: MapHandle, options: AttachOptions<boolean> | undefined): Opening {
    const resolved = resolveAttachOptions(options, kind === 'mapsafe.cache')
    return new Opening(findPlaceOf(kind, handle, resolved.trustFile), resolved)
  }

  get place(): Place {
    return this.#place
  }

  get options(): ResolvedAttachOptions {
    return this.#options
  }

  /**
   * Makes the map object: an instance of `receiver` if that is a class derived from `base`, else of `base`, so that
   * `attach` may also be called without its class.
   *
   * @throws MapsafeTypeError `ERR_MAPSAFE_OPTIONS` if the constructor of the derived class opened another map
   */
  open<M extends OpenedMap>(base: MapClass<M>, receiver: unknown): M {
    if (!isDerived(receiver, base)) return new base(this)
    const map = new receiver(this)
    if (map.handle === this.#place.handle) return map
    map.close()
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The constructor of ${receiver.name} opened another map than the one asked for; expected it to pass the options ` +
        `that it is given on to that of ${base.name}, as they are: super(options).`,
    )
  }
}

function isDerived<M>(receiver: unknown, base: MapClass<M>): receiver is MapClass<M> {
  return typeof receiver === 'function' && receiver.prototype instanceof base
}
