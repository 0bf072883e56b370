import { describe } from '../base/describe.js'
import type { AttachedThread } from '../format/attached-threads.js'
import type { HealthReport } from '../inspect/health.js'
import { figuresOf, type Measured } from '../observe/metrics/maps.js'
import { METRICS, type Figures } from '../observe/metrics/table.js'
import { monotonic } from '../platform/system-clock.js'

/** What the page shows of the `stats()` of a map or cache. */
export interface WatchedFigures extends Figures {
  /** The threads that have the map open. */
  readonly threads: readonly AttachedThread[]
  /** The keys that this thread uses most. */
  readonly hotKeys: readonly WatchedKey[]
}

/** A key that a thread uses often. */
export interface WatchedKey {
  /** The key itself. */
  readonly key: unknown
  /** Its part in the calls of the thread, from a sample: at most 1. */
  readonly share: number
}

/** A map or cache, as far as the page needs it. */
export interface Watched extends Measured {
  /** Returns the figures of the map. */
  stats(): WatchedFigures
  /** Judges the map. */
  healthAsync(options?: { readonly signal?: AbortSignal | undefined }): Promise<HealthReport>
}

/** Maps by the names under which the page shows them. */
export type WatchedMaps = Readonly<Record<string, Watched>>

/** Returns what the page needs to know before the first figures: the table of metrics. */
export function introduction(interval: number, keys: boolean): object {
  const metrics = METRICS.map(({ name, help, kind, label, reading }) => ({ name, help, kind, label, reading }))
  return { interval, keys, metrics }
}

/**
 * Returns the figures of all maps at the moment. It asks `stats()` alone, which walks no entries. A map that this thread
 * has closed is told as closed, and one whose figures cannot be read with the reason: nobody is there to catch what
 * this throws.
 *
 * @param keys whether keys are told
 */
export function frameOf(named: readonly (readonly [string, Watched])[], keys: boolean): object {
  const maps = named.map(([name, map]) => [name, tell(map, keys)] as const)
  return { at: monotonic(), time: Date.now(), maps: Object.fromEntries(maps) }
}

function tell(map: Watched, keys: boolean): object {
  try {
    const figures = figuresOf(map) as WatchedFigures | undefined
    return figures === undefined ? { closed: true } : tellFigures(figures, keys)
  } catch (error) {
    return { failure: (error as { readonly message?: unknown } | undefined)?.message ?? describe(error) }
  }
}

function tellFigures(figures: WatchedFigures, keys: boolean): object {
  const { operations, contention, threads, hotKeys, breaker } = figures
  return {
    metrics: Object.fromEntries(METRICS.map((metric) => [metric.name, metric.read(figures)])),
    writes: operations,
    contention,
    threads,
    breaker,
    hotKeys: hotKeys.map(({ key, share }) => (keys ? { key: describe(key), share } : { share })),
  }
}
