import { describe } from '../../base/describe.js'
import { MapsafeTypeError } from '../../base/errors.js'
import type { Figures } from './table.js'

/** A map or cache, as far as metrics need it: in any thread that has it open. */
export interface Measured {
  /** Returns the figures of the map. */
  stats(): Figures
}

/** Maps by the names under which their metrics are told: the label `cache`. */
export type NamedMaps = Readonly<Record<string, Measured>>

/**
 * Returns the maps and their names.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything but an object of maps
 */
export function checkMaps(maps: unknown): [name: string, map: Measured][] {
  if (
    typeof maps !== 'object' ||
    maps === null ||
    Array.isArray(maps) ||
    typeof (maps as Partial<Measured>).stats === 'function'
  ) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Argument maps is ${describe(maps)}; expected an object of maps by name, such as { sessions }.`,
    )
  }
  const named = Object.entries(maps) as [string, Measured | null | undefined][]
  for (const [name, map] of named) {
    if (typeof map?.stats === 'function') continue
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The map ${describe(name)} is ${describe(map)}; expected a ConcurrentMap or a ConcurrentCache.`,
    )
  }
  return named as [string, Measured][]
}

/** Returns the figures of a map; undefined once this thread has closed it. */
export function figuresOf(map: Measured): Figures | undefined {
  try {
    return map.stats()
  } catch (error) {
    if ((error as { readonly code?: unknown } | undefined)?.code === 'ERR_MAPSAFE_CLOSED') return undefined
    throw error
  }
}
