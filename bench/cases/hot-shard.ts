import { ConcurrentMap } from 'mapsafe'
import type { Case, Findings, Run } from '../harness/case.js'
import { percentile } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { count, duration, rate } from '../report/format.js'

export interface HotShardSetup {
  readonly handle: unknown
  readonly keys: number
  readonly seed: number
}

export interface HotShardOrder {
  readonly milliseconds: number
  /** A counter of the workers that are ready; all start when it is `workers`. */
  readonly ready: Int32Array
  readonly workers: number
}

export interface HotWork {
  readonly operations: number
  /** Operations a second. */
  readonly rate: number
  /** Nanoseconds of the sampled operations. */
  readonly latencies: Float64Array
}

const WORKERS = 4
const PHASES = ['first', 'second', 'third', 'fourth']

/** Writers that crowd on few keys: before and after their segments were split, and on a single counter. */
export const hotShard: Case = {
  name: 'hot-shard',
  title: 'Hot shards and hot counters',
  method: `Workers increment counters of one map, drawn by Zipf's law, without near-cache. All keys start in the segments of an empty
map; where writers collide too often, segments split (docs/protocol.md, "Hot segments"), so that the first part of a run is before
and the last after relief. On few cores too few writes collide for that, which the last two columns tell. A single counter
cannot be parted: it shows what is left. Every 16th increment is timed.`,
  async run(run: Run): Promise<Findings> {
    const milliseconds = run.quick ? 50 : 1000
    const rows: string[][] = []
    for (const { keys, workers } of [
      { keys: 100, workers: WORKERS },
      { keys: 1, workers: 1 },
      { keys: 1, workers: WORKERS },
    ]) {
      run.progress(`${amount(workers, 'worker')}, ${amount(keys, 'key')}`)
      rows.push(...(await measure(keys, workers, milliseconds, run.seed)))
    }
    return {
      tables: [
        {
          title: `Increments; each part of a run takes ${milliseconds} ms`,
          columns: ['', 'throughput', 'p50', 'p99', 'contentions', 'segments after it'],
          rows,
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

const amount = (number: number, noun: string): string => `${count(number)} ${noun}${number === 1 ? '' : 's'}`

async function measure(keys: number, workers: number, milliseconds: number, seed: number): Promise<string[][]> {
  using map = new ConcurrentMap<string, number>({ engine: 'native' })
  const threads = Array.from({ length: workers }, (_, worker) => {
    const setup: HotShardSetup = { handle: map.handle, keys, seed: seed + worker }
    return new Thread<HotShardOrder>(new URL('hot-shard.worker.js', import.meta.url), setup)
  })
  const rows: string[][] = []
  let operations = 0
  try {
    for (const phase of PHASES) {
      const before = map.stats().contention
      const ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
      const order: HotShardOrder = { milliseconds, ready, workers }
      const works = await Promise.all(threads.map((thread) => thread.ask<HotWork>(order)))
      operations += works.reduce((sum, work) => sum + work.operations, 0)
      const latencies = Float64Array.from(works.flatMap((work) => [...work.latencies])).sort()
      const { contention, segments } = map.stats()
      rows.push([
        `${amount(workers, 'worker')}, ${amount(keys, 'key')}, ${phase} part`,
        rate(works.reduce((sum, work) => sum + work.rate, 0)),
        duration(percentile(latencies, 50)),
        duration(percentile(latencies, 99)),
        count(contention - before),
        count(segments),
      ])
    }
    let sum = 0
    for (const value of map.values()) sum += value
    if (sum !== operations) throw new Error(`${operations} increments, but the counters say ${sum}`)
    return rows
  } finally {
    await Promise.all(threads.map((thread) => thread.stop()))
  }
}
