import { ConcurrentMap } from 'mapsafe'
import type { Case, Findings, Run } from '../harness/case.js'
import { median, percentile, ratio } from '../harness/statistics.js'
import { duration, rate, times } from '../report/format.js'
import { expectCount, Incrementers, type Increments } from './increments.js'

const WORKERS = [1, 2, 4]
const ENGINES = ['native', 'typescript'] as const
const KEY = 'counter'

/** All workers on one key. */
export const hotCounter: Case = {
  name: 'hot-counter',
  title: 'One hot counter',
  method: `Workers increment one counter, without near-cache. It is exact, so all increments pass through one cache line one after the other, and
nothing can part it: the question is how little is lost when many try at once. What the processor allows at most is in the
last rows, in which the same workers add to a word and do nothing else. Every 16th increment is timed; the sum is
checked. How far apart the cores are is up to the machine: one that moves its virtual processors about gives other ratios from minute
to minute.`,
  async run(run: Run): Promise<Findings> {
    const rows: string[][] = []
    for (const engine of ENGINES) {
      run.progress(engine)
      rows.push(...(await measure(engine, engine, run)))
    }
    rows.push(...(await measure('Atomics.add', 'typescript', run)))
    return {
      tables: [
        { title: 'Increments of one key', columns: ['', 'workers', 'throughput', '/ 1 worker', 'p50', 'p99'], rows },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

async function measure(name: string, engine: (typeof ENGINES)[number], run: Run): Promise<string[][]> {
  const { rounds, milliseconds, warmup } = run.quick
    ? { rounds: 2, milliseconds: 30, warmup: 30 }
    : { rounds: 9, milliseconds: 300, warmup: 500 }
  using map = new ConcurrentMap<string, number>({ engine })
  const team = new Incrementers(Math.max(...WORKERS), engine, [{ handle: map.handle, keys: [KEY] }], run.seed)
  const done = new Map<number, Increments[]>(WORKERS.map((workers) => [workers, []]))
  const bare = name === engine ? undefined : new Int32Array(new SharedArrayBuffer(4))
  let operations = 0
  try {
    operations += (await team.work(0, Math.max(...WORKERS), warmup, bare)).operations
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < WORKERS.length; turn++) {
        const workers = WORKERS[(round + turn) % WORKERS.length]
        const one = await team.work(0, workers, milliseconds, bare)
        operations += one.operations
        done.get(workers)!.push(one)
      }
    }
  } finally {
    await team.stop()
  }
  expectCount(bare === undefined ? map.values() : [bare[0] >>> 0], operations)

  const rates = (workers: number): number[] => done.get(workers)!.map((one) => one.rate)
  return WORKERS.map((workers) => {
    const latencies = done.get(workers)!.map((one) => one.latencies.sort())
    return [
      name,
      String(workers),
      rate(median(rates(workers))),
      times(ratio(rates(workers), rates(1))),
      duration(median(latencies.map((one) => percentile(one, 50)))),
      duration(median(latencies.map((one) => percentile(one, 99)))),
    ]
  })
}
