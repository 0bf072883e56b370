import type { Latencies, WorkerTotals } from './team.js'

/** What one cache did so far. */
export interface CacheReport {
  readonly perWorker: readonly WorkerTotals[]
  readonly reads: number
  /** Reads that loaded nothing from the database. */
  readonly hits: number
  readonly stale: number
  readonly latencies: Latencies
  /** Bytes that the cache takes; measured at the end only. */
  readonly memory?: number
}

export interface CacheResult extends CacheReport {
  readonly memory: number
}

/** Both caches after the same requests. */
export interface Report {
  readonly seconds: number
  readonly shared: CacheReport
  readonly private: CacheReport
  /** Engines that mapsafe runs on: one, unless only some threads could load the native one. */
  readonly engines: readonly string[]
  /** Resident set size of the process with everything in it, in bytes. */
  readonly rss: number
}

/** How the run ended. */
export interface Result extends Report {
  readonly shared: CacheResult
  readonly private: CacheResult
}

const LABEL_WIDTH = 26
const COLUMN_WIDTH = 24
/** No line of {@link table} is wider. */
export const TABLE_WIDTH = 80

/** The figures side by side. */
export function table(report: Report): string {
  const sides = [report.shared, report.private]
  const row = (label: string, cells: readonly string[]): string =>
    ` ${label.padEnd(LABEL_WIDTH)}${cells.map((cell) => cell.padStart(COLUMN_WIDTH)).join('')}`
  const rows = (label: string, cell: (side: CacheReport) => string): string => row(label, sides.map(cell))
  const line = ` ${'-'.repeat(LABEL_WIDTH + 2 * COLUMN_WIDTH)}`

  return [
    row(`after ${report.seconds.toFixed(1)} s`, ['mapsafe, one for all', 'lru-cache, one each']),
    line,
    ...report.shared.perWorker.map((_, worker) =>
      rows(`worker ${worker + 1}, requests/s`, ({ perWorker }) => integer(perSecond(perWorker[worker]))),
    ),
    rows('all workers, requests/s', (side) => integer(throughput(side))),
    rows('hit ratio', ({ hits, reads }) => percent(hits, reads)),
    rows('loads from the database', (side) => integer(loadsOf(side))),
    rows('latency, p50', ({ latencies }) => microseconds(latencies.p50)),
    rows('latency, p99', ({ latencies }) => microseconds(latencies.p99)),
    rows('latency, p99.9', ({ latencies }) => microseconds(latencies.p999)),
    rows('STALE READS', ({ stale, reads }) => (stale === 0 ? '0' : `${integer(stale)} (${percent(stale, reads)})`)),
    rows('memory for the cache', ({ memory }) => (memory === undefined ? 'at the end' : mebibytes(memory))),
    line,
    ` engine of mapsafe: ${report.engines.join(' and ')}; whole process, both caches: ${mebibytes(report.rss)} resident`,
  ].join('\n')
}

/** One line for logs. */
export function progress({ seconds, shared, private: other }: Report): string {
  const side = (name: string, cache: CacheReport): string =>
    `${name} ${integer(throughput(cache))} requests/s, hits ${percent(cache.hits, cache.reads)}, stale ${integer(cache.stale)}`
  return `${seconds.toFixed(1).padStart(5)} s  ${side('mapsafe', shared)} | ${side('lru-cache', other)}`
}

/** Two lines that say what the figures mean. */
export function conclusion({ shared, private: other }: Result): string {
  const caches = other.perWorker.length === 1 ? 'the private cache' : 'the private caches'
  const staleness =
    shared.stale > 0
      ? `mapsafe returned stale data ${integer(shared.stale)} times, which must never be: please report this with the seed.`
      : `In the same ${integer(shared.reads)} reads ${caches} returned stale data ${integer(other.stale)} times ` +
        `(${percent(other.stale, other.reads)}), mapsafe never.`
  const memory = `${ratio(shared.memory, other.memory)} (${mebibytes(shared.memory)} against ${mebibytes(other.memory)})`
  const latency = `${ratio(shared.latencies.p99, other.latencies.p99)} (${microseconds(shared.latencies.p99)} against ${microseconds(other.latencies.p99)})`
  const loads = `${ratio(loadsOf(shared), loadsOf(other))} (${integer(loadsOf(shared))} against ${integer(loadsOf(other))})`
  return `${staleness}
mapsafe in comparison: memory ${memory}, throughput ${ratio(throughput(shared), throughput(other))}, p99 latency ${latency}, loads ${loads}.`
}

function loadsOf({ reads, hits }: CacheReport): number {
  return reads - hits
}

/** Requests a second of all workers. */
export function throughput({ perWorker }: CacheReport): number {
  return perWorker.reduce((sum, worker) => sum + perSecond(worker), 0)
}

function perSecond({ requests, milliseconds }: WorkerTotals): number {
  return milliseconds === 0 ? 0 : (requests / milliseconds) * 1000
}

function integer(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function percent(part: number, whole: number): string {
  return `${(whole === 0 ? 0 : (part / whole) * 100).toFixed(2)} %`
}

function ratio(value: number, reference: number): string {
  return reference === 0 ? '-' : `${(value / reference).toFixed(2)}x`
}

function microseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1000).toFixed(1)} µs`
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
