import { ConcurrentCache, type AttachOptions, type CacheHandle } from 'mapsafe'
import { mapBytes } from '../contenders/mapsafe.js'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { VALUE_BYTES } from '../harness/data.js'
import { drawKeys } from '../harness/draws.js'
import { median, ratio } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { count, duration, rate, times } from '../report/format.js'

/** Each worker's own lru-cache, or the cache that all of them share. */
export type EvictionCache =
  { readonly max: number } | { readonly handle: CacheHandle; readonly options: AttachOptions; readonly max: number }

export interface EvictionSetup {
  /** For the draws, and for the stream of new keys. */
  readonly drawn: EvictionCache
  readonly streamed: EvictionCache
  readonly keys: number
  readonly draws: Uint32Array
  /** Which of the workers: no two begin at the same draw. */
  readonly worker: number
}

export interface EvictionOrder {
  readonly kind: 'draw' | 'stream'
  readonly milliseconds: number
  /** A counter of the workers that are ready; all start when it is `workers`. */
  readonly ready: Int32Array
  readonly workers: number
}

export interface Evictions {
  readonly operations: number
  readonly hits: number
  /** Operations a second. */
  readonly rate: number
}

/** One way to keep a bounded number of entries. */
interface Contestant {
  readonly label: string
  /** Numbers of workers that it is measured with. */
  readonly workers: readonly number[]
  /** Undefined for an lru-cache in each worker. */
  readonly options: AttachOptions | undefined
  /** Entries that each of its caches may hold. */
  readonly max: number
}

interface Cell {
  readonly contestant: Contestant
  readonly workers: number
  readonly rates: number[]
  operations: number
  hits: number
}

const MAX_WORKERS = 2

/**
 * Evictions for each new key. A key that comes round again may still be there: one whose hash was taken for that of an
 * evicted one.
 */
const LEAST_EVICTED = 0.999

const contestantsOf = (max: number): readonly Contestant[] => [
  { label: 'lru-cache', workers: [1], options: undefined, max },
  { label: 'lru-cache each, of max / 2', workers: [2], options: undefined, max: max / 2 },
  { label: 'lru-cache each, of max', workers: [2], options: undefined, max },
  { label: 'mapsafe', workers: [1, 2], options: { engine: 'native' }, max },
  { label: 'mapsafe, no near-cache', workers: [1, 2], options: { engine: 'native', nearCache: false }, max },
  { label: 'mapsafe, TypeScript', workers: [1, 2], options: { engine: 'typescript' }, max },
  {
    label: 'mapsafe, TypeScript, no near-cache',
    workers: [1, 2],
    options: { engine: 'typescript', nearCache: false },
    max,
  },
]

/** A full cache that evicts for each miss. */
export const eviction: Case = {
  name: 'eviction',
  title: 'A full cache',
  method: `A cache that may hold *max* = 10,000 entries is asked for 100,000 keys, drawn by Zipf's law, with 100-byte strings as values: get, and on
a miss set, so that each miss evicts an entry. With two workers mapsafe's cache is one, of *max* entries, and what one worker stored the
other one hits. lru-cache cannot be shared: each worker has its own, in one row of *max* / 2 entries, which is as many in all, and in one
of *max*, which is twice the memory. *Throughput* counts gets; a miss costs nothing here but the set, where a service would have to compute the value. It
is compared with lru-cache of as many entries in all. *Set of a new key*: one thread stores keys that were never asked for into a full cache. Values are
checked as they are read, and what was evicted is counted.`,
  async run(run: Run): Promise<Findings> {
    const effort = run.quick
      ? { keys: 20_000, max: 2000, draws: 2 ** 16, rounds: 2, milliseconds: 20, warmup: 60 }
      : { keys: 100_000, max: 10_000, draws: 2 ** 20, rounds: 9, milliseconds: 200, warmup: 800 }
    const draws = drawKeys(effort.keys, effort.draws, run.seed)
    const contestants = contestantsOf(effort.max)
    const stands: Stand[] = []
    const cells = contestants.flatMap((contestant) =>
      contestant.workers.map((workers): Cell => ({ contestant, workers, rates: [], operations: 0, hits: 0 })),
    )
    const streams = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]))
    try {
      for (const contestant of contestants) {
        run.progress(`filling ${contestant.label}`)
        const stand = new Stand(contestant, effort.keys, draws)
        stands.push(stand)
        await stand.work('draw', Math.max(...contestant.workers), effort.warmup)
        await stand.work('stream', 1, effort.warmup)
      }
      const standOf = ({ contestant }: Cell): Stand => stands[contestants.indexOf(contestant)]
      for (let round = 0; round < effort.rounds; round++) {
        run.progress(`round ${round + 1} of ${effort.rounds}`)
        for (let turn = 0; turn < cells.length; turn++) {
          const cell = cells[(round + turn) % cells.length]
          const one = await standOf(cell).work('draw', cell.workers, effort.milliseconds)
          cell.rates.push(one.rate)
          cell.operations += one.operations
          cell.hits += one.hits
        }
        for (let turn = 0; turn < stands.length; turn++) {
          const { contestant } = stands[(round + turn) % stands.length]
          const one = await stands[(round + turn) % stands.length].work('stream', 1, effort.milliseconds)
          streams.get(contestant)!.push(1e9 / one.rate)
        }
      }
      for (const stand of stands) stand.check()
    } finally {
      await Promise.all(stands.map((stand) => stand.close()))
    }
    return {
      tables: [drawTable(effort, cells), streamTable(effort.max, streams)],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

function drawTable({ keys, max }: { readonly keys: number; readonly max: number }, cells: readonly Cell[]): Table {
  const baseOf = ({ workers }: Cell): Cell =>
    cells.find(
      (cell) =>
        cell.contestant.options === undefined && cell.workers === workers && cell.contestant.max * workers === max,
    )!
  return {
    title: `${count(max)} of ${count(keys)} keys: get, on a miss set`,
    columns: ['', 'workers', 'hits', 'throughput', '/ lru-cache'],
    rows: cells.map((cell) => [
      cell.contestant.label,
      String(cell.workers),
      `${((100 * cell.hits) / cell.operations).toFixed(1)} %`,
      rate(median(cell.rates)),
      times(ratio(cell.rates, baseOf(cell).rates)),
    ]),
  }
}

function streamTable(max: number, streams: ReadonlyMap<Contestant, readonly number[]>): Table {
  const base = streams.values().next().value!
  return {
    title: `Set of a new key into a full cache of ${count(max)} entries`,
    columns: ['', 'time', '/ lru-cache'],
    rows: [...streams]
      .filter(([contestant]) => contestant.workers.includes(1))
      .map(([{ label }, rounds]) => [label, duration(median(rounds)), times(ratio(rounds, base))]),
  }
}

/** A contestant's workers, and what they share. */
class Stand {
  readonly #threads: readonly Thread<EvictionOrder>[]
  readonly #drawn: ConcurrentCache<string, string> | undefined
  readonly #streamed: ConcurrentCache<string, string> | undefined

  constructor(
    readonly contestant: Contestant,
    keys: number,
    draws: Uint32Array,
  ) {
    const { options, max } = contestant
    const make = (): ConcurrentCache<string, string> | undefined =>
      options && new ConcurrentCache({ ...options, maxEntries: max, maxBytes: mapBytes(max, VALUE_BYTES.string) })
    const told = (cache: ConcurrentCache<string, string> | undefined): EvictionCache =>
      cache === undefined ? { max } : { handle: cache.handle, options: options!, max }
    this.#drawn = make()
    this.#streamed = make()
    this.#threads = Array.from({ length: MAX_WORKERS }, (_, worker) => {
      const setup: EvictionSetup = { drawn: told(this.#drawn), streamed: told(this.#streamed), keys, draws, worker }
      return new Thread<EvictionOrder>(new URL('eviction.worker.js', import.meta.url), setup)
    })
  }

  /**
   * Lets the first `workers` of them work at once.
   *
   * @throws if not nearly each new key evicted one entry
   */
  async work(kind: EvictionOrder['kind'], workers: number, milliseconds: number): Promise<Evictions> {
    const evicted = this.#streamed?.stats().counters.evicted ?? 0
    const ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const works = await Promise.all(
      this.#threads.slice(0, workers).map((thread) => thread.ask<Evictions>({ kind, milliseconds, ready, workers })),
    )
    const sum = (of: (one: Evictions) => number): number => works.reduce((total, one) => total + of(one), 0)
    const operations = sum((one) => one.operations)
    const gone = this.#streamed === undefined ? 0 : this.#streamed.stats().counters.evicted - evicted
    if (kind === 'stream' && this.#streamed !== undefined && (gone > operations || gone < LEAST_EVICTED * operations)) {
      throw new Error(`${this.contestant.label} evicted ${gone} entries for ${operations} new ones`)
    }
    return { operations, hits: sum((one) => one.hits), rate: sum((one) => one.rate) }
  }

  /** @throws if a cache is damaged or holds more than it may */
  check(): void {
    const { label, max } = this.contestant
    for (const cache of [this.#drawn, this.#streamed]) {
      if (cache === undefined) continue
      const { problems } = cache.verify()
      if (problems.length > 0) throw new Error(`${label} is damaged: ${problems.join('; ')}`)
      if (cache.size > max) throw new Error(`${label} holds ${cache.size} entries, but may hold ${max}`)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()))
    this.#drawn?.close()
    this.#streamed?.close()
  }
}
