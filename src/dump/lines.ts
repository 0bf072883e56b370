import { wrongInput } from '../base/arguments.js'
import { readSettings } from '../format/cache-settings.js'
import { FORMAT_VERSION } from '../format/layout.js'
import type { Key } from '../format/key.js'
import type { InspectedEntry } from '../inspect/entries.js'
import { Inspection } from '../inspect/inspection.js'
import { ConcurrentMap, storeOf } from '../public/concurrent-map.js'
import { wholeEntriesOf, type WholeEntry } from '../public/snapshot.js'
import { toJson, type Json } from './encoding.js'

/** Version of the lines themselves. It does not follow that of the maps. */
export const DUMP_VERSION = 1

/** The first line of a dump. `Infinity` is left out. */
export interface DumpHeader {
  readonly mapsafe: 'dump'
  readonly version: number
  readonly kind: 'map' | 'cache'
  readonly maxBytes?: number | undefined
  readonly ttl?: number | undefined
  readonly slidingTtl?: number | undefined
  readonly ttlJitter?: number | undefined
  readonly maxEntries?: number | undefined
  /** Version of the format that the map was in; undefined for entries that are from no map. */
  readonly formatVersion?: number | undefined
}

/** What is dumped: a map or cache, an inspection of one, or pairs of keys and values, like the snapshot of another version. */
export type DumpSource = ConcurrentMap<Key, never> | Inspection | Iterable<readonly [Key, unknown]>

/** Options of {@link dumpLines}. Wrong ones throw `ERR_MAPSAFE_OPTIONS`. */
export interface DumpOptions {
  /**
   * Called with a line for each entry of an inspection that cannot be read; the dump goes on without it. Default: the first
   * such entry ends the dump with an error.
   */
  readonly onProblem?: ((problem: string) => void) | undefined
}

/**
 * Yields the lines of a dump, without their ends: a line about the map, one for each entry, and one that says how many
 * there were. Of a map, all entries are of one instant, between the first line and the second; of an inspection, each is
 * of an instant of its own.
 *
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `source` is none; those of {@link ConcurrentMap.snapshot} and of
 * {@link Inspection.entries}
 */
export function* dumpLines(source: DumpSource, options: DumpOptions = {}): Generator<string, undefined, undefined> {
  let count = 0
  yield JSON.stringify(headerOf(source))
  for (const entry of entriesOf(source, options)) {
    yield JSON.stringify(lineOf(entry))
    count++
  }
  yield JSON.stringify({ entries: count })
  return undefined
}

function headerOf(source: unknown): DumpHeader {
  const dump = { mapsafe: 'dump', version: DUMP_VERSION } as const
  if (source instanceof ConcurrentMap) {
    const { words } = storeOf(source as ConcurrentMap<Key, unknown>).open()
    const kind = (source as ConcurrentMap<Key, unknown>).handle.kind === 'mapsafe.cache' ? 'cache' : 'map'
    return { ...dump, kind, maxBytes: words.byteLength, ...finite(readSettings(words)), formatVersion: FORMAT_VERSION }
  }
  if (source instanceof Inspection) {
    const { kind, maxBytes, ttl, slidingTtl, ttlJitter, maxEntries, formatVersion } = source.settings
    return { ...dump, kind, maxBytes, ...finite({ ttl, slidingTtl, ttlJitter, maxEntries }), formatVersion }
  }
  if (typeof source === 'object' && source !== null && Symbol.iterator in source) return { ...dump, kind: 'map' }
  throw wrongInput('Argument source', source, 'a map, a cache, an inspection, or an iterable object of pairs')
}

function finite<T extends object>(settings: T): Partial<T> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => Number.isFinite(value))) as Partial<T>
}

type Dumped = Pick<WholeEntry, 'key' | 'value'> & Partial<WholeEntry>

function* entriesOf(source: DumpSource, { onProblem }: DumpOptions): Iterable<Dumped> {
  if (source instanceof Inspection) {
    for (const entry of source.entries({ values: true, onProblem })) yield ofInspection(entry)
  } else if (source instanceof ConcurrentMap) {
    yield* wholeEntriesOf((source as unknown as ConcurrentMap<Key, unknown>).snapshot())
  } else {
    for (const [key, value] of source) yield { key, value }
  }
}

function ofInspection(entry: InspectedEntry): Dumped {
  return { ...entry, value: entry.value, isCounter: entry.kind === 'counter' }
}

/** Names that are left out have the value that most entries have. */
function lineOf(entry: Dumped): Readonly<Record<string, Json | undefined>> {
  const { key, value, expiresAt, slidingTtl, staleUntil, staleOnError, isCounter, groups = [] } = entry
  return {
    key: toJson(key),
    value: toJson(value),
    counter: isCounter === true ? true : undefined,
    expiresAt,
    slidingTtl,
    staleUntil,
    staleOnError: staleOnError === true ? true : undefined,
    groups: groups.length > 0 ? groups : undefined,
  }
}
