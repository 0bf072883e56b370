import { ConcurrentCache, ConcurrentMap } from 'mapsafe'
import { TTL } from './loading-caches.js'
import type { DemoOptions } from './options.js'
import type { CacheReport, Report, Result } from './report.js'
import type { Session } from './session.js'
import { Team } from './team.js'
import type { Trace } from './trace.js'

/** The demo's time is divided among them. */
const HALVES = 2
const FIRST_TURN_REQUESTS_PER_WORKER = 2048
/** How long a turn shall take at the slower cache: short enough for both to meet the same conditions. */
const TURN_MILLISECONDS = 100

/** An entry takes less than 512 bytes besides the id, which is in the key and in the value. */
const ENTRY_BYTES = 512
const SPARE_BYTES = 32 * 2 ** 20

/** What the service does with its cache: one half of the demo. */
export interface Half {
  /** The program of its workers. */
  readonly script: string
  readonly openShared: (maxBytes: number) => ConcurrentMap<string, Session>
}

/** Sessions are kept for good; who misses one loads it, and stores it unless someone was faster. */
export const KEEPING: Half = { script: 'worker.js', openShared: (maxBytes) => new ConcurrentMap({ maxBytes }) }

/** Sessions expire, and the cache loads what it misses, from a database that takes its time. */
export const LOADING: Half = {
  script: 'loading-worker.js',
  openShared: (maxBytes) => new ConcurrentCache({ maxBytes, ttl: TTL }),
}

/**
 * Serves the same requests from a shared map or cache and from private caches, in turns, so that neither has to share
 * the cores with the other. The private caches go first in every other turn.
 *
 * @param onProgress called after every turn of both
 */
export async function run(
  { script, openShared }: Half,
  options: DemoOptions,
  trace: Trace,
  onProgress: (report: Report) => void,
): Promise<Result> {
  const { workers, seed } = options
  using map = openShared(regionBytes(trace))
  const shared = new Team(script, { kind: 'shared', handle: map.handle }, trace, seed, workers)
  const other = new Team(script, { kind: 'private', capacity: trace.keys.length }, trace, seed, workers)
  try {
    const start = performance.now()
    let first = 0
    let requests = FIRST_TURN_REQUESTS_PER_WORKER * workers
    const report = (): Report => ({
      seconds: (performance.now() - start) / 1000,
      shared: figures(shared),
      private: figures(other),
      engines: [...new Set(map.stats().threads.map(({ engine }) => engine))],
      rss: process.memoryUsage.rss(),
    })

    for (let turn = 0; performance.now() - start < (options.seconds * 1000) / HALVES; turn++) {
      let slowest = 0
      for (const team of turn % 2 === 0 ? [shared, other] : [other, shared]) {
        slowest = Math.max(slowest, await team.turn(first, first + requests))
      }
      first += requests
      requests = Math.ceil(requests * Math.min(2, Math.max(0.5, TURN_MILLISECONDS / slowest)))
      onProgress(report())
    }
    const last = report()
    return {
      ...last,
      shared: { ...last.shared, memory: map.stats().bytesInUse + (await shared.measureHeap()) },
      private: { ...last.private, memory: await other.measureHeap() },
    }
  } finally {
    await Promise.all([shared.stop(), other.stop()])
  }
}

function regionBytes(trace: Trace): number {
  let characters = 0
  for (const key of trace.keys) characters += key.length
  // Two copies of the id, of two bytes a character at most.
  return SPARE_BYTES + trace.keys.length * ENTRY_BYTES + characters * 4
}

function figures({ perWorker, reads, hits, stale, latencies }: Team): CacheReport {
  return { perWorker, reads, hits, stale, latencies }
}
