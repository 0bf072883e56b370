import { ConcurrentCache, type CacheHandle } from 'mapsafe'
import type { Case, Findings, Run } from '../harness/case.js'
import { median, percentiles } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { count, duration } from '../report/format.js'

const WORKERS = 4
const CALLS = 250

const WAYS = ['get, else load and set', "lru-cache's fetch, a cache for each worker", 'getOrLoad'] as const

/** Data given to a worker of this case. */
export interface StampedeSetup {
  readonly handle: CacheHandle
}

/** Order given to such a worker. */
export interface Rush {
  readonly way: (typeof WAYS)[number]
  readonly key: string
  readonly calls: number
}

export interface Rushed {
  /** Durations of the calls, in nanoseconds. */
  readonly latencies: Float64Array
  /** Loaders called. */
  readonly loads: number
}

/** Many calls for one missing key at once. */
export const stampede: Case = {
  name: 'stampede',
  title: 'Stampedes',
  method: `${WORKERS} workers make ${CALLS} calls each at once for a key that no cache has. To load it takes 5 ms of waiting and then 2 ms of
work. The ways take turns, each time with a new key. *Loads*: how often the key was loaded in one stampede; the median, and the most.
Latency: of one call, from when it was made until it had the value.`,
  async run(run: Run): Promise<Findings> {
    const rounds = run.quick ? 3 : 40
    using cache = new ConcurrentCache<string, unknown>()
    const setup: StampedeSetup = { handle: cache.handle }
    const team = Array.from(
      { length: WORKERS },
      () => new Thread<Rush>(new URL('stampede.worker.js', import.meta.url), setup),
    )
    const loads = WAYS.map((): number[] => [])
    const latencies = WAYS.map((): number[] => [])
    try {
      for (let round = -1; round < rounds; round++) {
        run.progress(`stampede ${round + 1} of ${rounds}`)
        for (const [i, way] of WAYS.entries()) {
          const rush = { way, key: `${way} ${round}`, calls: CALLS }
          const rushed = await Promise.all(team.map((worker) => worker.ask<Rushed>(rush)))
          if (round < 0) continue // to warm up
          loads[i].push(rushed.reduce((sum, one) => sum + one.loads, 0))
          for (const one of rushed) latencies[i].push(...one.latencies)
        }
      }
    } finally {
      await Promise.all(team.map((worker) => worker.stop()))
    }
    return {
      tables: [
        {
          title: `${WORKERS} workers, ${CALLS} calls each, one missing key`,
          columns: ['', 'loads', 'most', 'p50', 'p99', 'p99.9'],
          rows: WAYS.map((way, i) => {
            const { p50, p99, p999 } = percentiles(latencies[i])
            return [
              way,
              count(median(loads[i])),
              count(Math.max(...loads[i])),
              ...[p50, p99, p999].map((each) => duration(each)),
            ]
          }),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}
