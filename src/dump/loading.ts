import { MapsafeError } from '../base/errors.js'
import { PUT_ALWAYS, PUT_GIVEN } from '../engine/engine.js'
import { NEVER } from '../format/entry.js'
import type { Key } from '../format/key.js'
import { digestOfLabelId, markOfLabelId } from '../format/label-ids.js'
import { ConcurrentCache } from '../public/concurrent-cache.js'
import { ConcurrentMap, storeOf } from '../public/concurrent-map.js'
import { withLabels, type Span } from '../store/lifetime.js'
import type { Store } from '../store/store.js'
import { increment, remove, writeEncoded } from '../store/writes.js'
import { fromJson, NotAnEncoding } from './encoding.js'
import { DUMP_VERSION, type DumpHeader } from './lines.js'

/** Where the entries of a dump go. */
export interface LoadOptions {
  /** Path of the new map's file. Default: memory that the threads of this process share. */
  readonly file?: string | undefined
  /** Size of the new map in bytes. Default: that of the map that was dumped. */
  readonly maxBytes?: number | undefined
}

/** What {@link loadLines} made. */
export interface Loaded {
  /** The new map, or cache. */
  readonly map: ConcurrentMap<Key, unknown>
  /** Number of entries that were stored. */
  readonly entries: number
  /** Number of entries that were in the dump, but had expired. */
  readonly expired: number
  /** Number of entries for which a cache had no room, or that gave way to others. */
  readonly evicted: number
}

/**
 * Makes a map of the lines of a dump, which {@link dumpLines} made. O(lines).
 *
 * If it throws, what it has stored until then is in the file: load a dump into a file that nobody knows yet, and give it its
 * name afterwards, as `npx mapsafe load` does.
 *
 * @param lines with or without their ends
 * @throws MapsafeError `ERR_MAPSAFE_FORMAT` if they are no dump, or not all of one; the message names the line. Those of the
 * constructor of a map, and of writes
 */
export function loadLines(lines: Iterable<string>, options: LoadOptions = {}): Loaded {
  let number = 0
  let loader: Loader | undefined
  try {
    for (const line of lines) {
      number++
      if (loader?.isComplete === true) throw refusal(number, 'comes after the last one')
      const parsed = parse(line, number)
      if (loader === undefined) loader = new Loader(headerOf(parsed), options)
      else loader.add(parsed, number)
    }
    if (loader?.isComplete !== true) throw truncated(number)
    return loader.result
  } catch (error) {
    loader?.result.map.close()
    throw error
  }
}

function parse(line: string, number: number): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (error) {
    throw refusal(number, `is no JSON (${(error as Error).message}): the dump is damaged, or was cut off`)
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>
  throw refusal(number, 'is no object')
}

function headerOf(line: Record<string, unknown>): DumpHeader {
  if (line.mapsafe !== 'dump') throw refusal(1, 'does not say that it begins a dump of mapsafe')
  if (line.version !== DUMP_VERSION) {
    throw refusal(
      1,
      `says version ${JSON.stringify(line.version)}, expected ${DUMP_VERSION}: another version of mapsafe made it`,
    )
  }
  if (line.kind !== 'map' && line.kind !== 'cache') throw refusal(1, 'says neither map nor cache')
  return line as unknown as DumpHeader
}

class Loader {
  isComplete = false
  readonly #map: ConcurrentMap<Key, unknown>
  readonly #store: Store<unknown>
  #entries = 0
  #expired = 0

  constructor(header: DumpHeader, { file, maxBytes = header.maxBytes }: LoadOptions) {
    const place = { file, maxBytes, nearCache: false, lostUpdates: false } as const
    const { slidingTtl, ttlJitter, maxEntries } = header
    const ttl = slidingTtl === undefined ? header.ttl : undefined
    this.#map =
      header.kind === 'cache'
        ? new ConcurrentCache<Key, unknown>({ ...place, ttl, slidingTtl, ttlJitter, maxEntries })
        : new ConcurrentMap<Key, unknown>(place)
    this.#store = storeOf(this.#map)
  }

  get result(): Loaded {
    const entries = this.#entries
    const [map, expired] = [this.#map, this.#expired]
    return { map, entries, expired, evicted: this.isComplete ? Math.max(0, entries - map.size) : 0 }
  }

  add(line: Record<string, unknown>, number: number): void {
    if (!Object.hasOwn(line, 'key')) {
      const found = this.#entries + this.#expired
      if (line.entries !== found) {
        throw refusal(
          number,
          `says that there are ${JSON.stringify(line.entries)} entries, but there were ${found}: lines are missing`,
        )
      }
      this.isComplete = true
      return
    }
    try {
      this.#write(fromJson(line.key) as Key, fromJson(line.value), readRest(line))
    } catch (error) {
      if (error instanceof NotAnEncoding) throw refusal(number, error.problem)
      // A stack that overflows: values of a map are not nested that deeply.
      if ((error as Error).name === 'RangeError' && !(error instanceof MapsafeError) && !('code' in (error as Error))) {
        throw refusal(number, 'is nested too deeply')
      }
      throw error
    }
  }

  #write(key: Key, value: unknown, { expiresAt, slidingTtl, staleUntil, staleOnError, counter, groups }: Rest): void {
    const store = this.#store
    const keptUntil = Math.max(expiresAt ?? Infinity, staleUntil ?? 0)
    if (keptUntil <= Date.now()) {
      this.#expired++
      return
    }
    this.#entries++
    const labels = groups.length === 0 ? undefined : store.labelIndex.pairsOf(store.openToWrite(), groups)
    const lifetime = withLabels(store.mayExpire ? this.#spanOf(expiresAt, slidingTtl) : undefined, labels)
    if (counter && typeof value === 'number' && !Object.is(value, -0)) {
      remove(store, key, PUT_ALWAYS)
      increment(store, key, value, lifetime)
      return
    }
    const encoder = store.encode(value)
    const staleFor = staleUntil === undefined || expiresAt === undefined ? 0 : staleUntil - expiresAt
    try {
      writeEncoded(store, key, encoder, PUT_ALWAYS | PUT_GIVEN, 0, lifetime, staleFor, staleOnError)
    } finally {
      encoder.release()
    }
  }

  #spanOf(expiresAt: number | undefined, slidingTtl: number | undefined): Span {
    const end = expiresAt === undefined ? NEVER : Math.max(this.#store.clock.ofWall(expiresAt), 1)
    return slidingTtl === undefined ? end : { expiresAt: end, slidingTtl }
  }
}

/** What a line says of an entry beside key and value. */
interface Rest {
  readonly expiresAt: number | undefined
  readonly slidingTtl: number | undefined
  readonly staleUntil: number | undefined
  readonly staleOnError: boolean
  readonly counter: boolean
  readonly groups: readonly string[]
}

function readRest(line: Record<string, unknown>): Rest {
  const timeOf = (name: string): number | undefined => {
    const given = line[name]
    if (given === undefined || (typeof given === 'number' && given > 0)) return given
    throw new NotAnEncoding(`has ${JSON.stringify(given)} for ${name}, no time`)
  }
  const groups = line.groups ?? []
  const isId = (id: unknown): boolean =>
    typeof id === 'string' && (digestOfLabelId(id) !== undefined || markOfLabelId(id) !== undefined)
  if (!Array.isArray(groups) || !groups.every(isId)) throw new NotAnEncoding('has groups that are none')
  return {
    expiresAt: timeOf('expiresAt'),
    slidingTtl: timeOf('slidingTtl'),
    staleUntil: timeOf('staleUntil'),
    staleOnError: line.staleOnError === true,
    counter: line.counter === true,
    groups: groups as string[],
  }
}

function refusal(line: number, problem: string): MapsafeError {
  return new MapsafeError('ERR_MAPSAFE_FORMAT', `Cannot load the dump: line ${line} ${problem}.`)
}

function truncated(lines: number): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_FORMAT',
    lines === 0
      ? 'Cannot load the dump: it is empty.'
      : `Cannot load the dump: it was cut off after line ${lines}, before the line that says how many entries there are.`,
  )
}
