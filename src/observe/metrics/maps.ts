import { describe } from '../../base/describe.js'
import { MapsafeError, MapsafeTypeError } from '../../base/errors.js'
import type { HealthReport } from '../../inspect/health.js'
import type { Figures } from './table.js'

/** A map or cache, as far as metrics need it: in any thread that has it open. */
export interface Measured {
  /** Returns the figures of the map. */
  stats(): Figures & {
    /** What the map is called; undefined if it has no name. */
    readonly name?: string
  }
  /** Judges the map; needed only where its verdicts are asked for. */
  healthAsync?(): Promise<HealthReport>
}

/**
 * Maps whose metrics are told, with their names, the label `cache`: an object of maps by name, or a list of maps, which are
 * named as their option `name` says.
 */
export type NamedMaps = Readonly<Record<string, Measured>> | readonly Measured[]

/**
 * Returns the maps and their names.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for anything but maps, `ERR_MAPSAFE_NAME` for two of one name
 */
export function checkMaps(maps: unknown): [name: string, map: Measured][] {
  if (typeof maps !== 'object' || maps === null || typeof (maps as Partial<Measured>).stats === 'function') {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Argument maps is ${describe(maps)}; expected an object of maps by name, such as { sessions }, or a list of maps.`,
    )
  }
  const given = Object.entries(maps) as [string, Measured | null | undefined][]
  for (const [name, map] of given) {
    if (typeof map?.stats === 'function') continue
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `The map ${describe(Array.isArray(maps) ? Number(name) : name)} is ${describe(map)}; expected a ConcurrentMap or a ConcurrentCache.`,
    )
  }
  const named = given as [string, Measured][]
  return Array.isArray(maps) ? byOwnNames(named.map(([, map]) => map)) : named
}

function byOwnNames(maps: readonly Measured[]): [name: string, map: Measured][] {
  const named = new Map<string, Measured>()
  for (const map of maps) {
    const name = map.stats().name ?? 'map'
    if (named.has(name)) {
      throw new MapsafeError(
        'ERR_MAPSAFE_NAME',
        `Two of the maps are named ${describe(name)}, so their metrics could not be told apart. Open them with the option name, or ` +
          'give an object of maps by name.',
      )
    }
    named.set(name, map)
  }
  return [...named]
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if one of the maps cannot be judged */
export function checkJudged(maps: readonly (readonly [string, Measured])[]): void {
  for (const [name, map] of maps) {
    if (typeof map.healthAsync === 'function') continue
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Option health is true, but the map ${describe(name)} has no healthAsync(); expected a ConcurrentMap or a ConcurrentCache.`,
    )
  }
}

/** Returns the figures of a map; undefined once this thread has closed it. */
export function figuresOf(map: Measured): Figures | undefined {
  try {
    return map.stats()
  } catch (error) {
    if (isOfClosed(error)) return undefined
    throw error
  }
}

/** Returns the figures of a map with its verdicts; undefined once this thread has closed it. */
export async function judgedFiguresOf(map: Measured): Promise<Figures | undefined> {
  try {
    const report = await map.healthAsync?.()
    return { ...map.stats(), verdicts: report?.verdicts }
  } catch (error) {
    if (isOfClosed(error)) return undefined
    throw error
  }
}

function isOfClosed(error: unknown): boolean {
  return (error as { readonly code?: unknown } | undefined)?.code === 'ERR_MAPSAFE_CLOSED'
}
