import type { Case, Findings, Run } from '../harness/case.js'
import { atMost, atLeast } from '../harness/targets.js'
import { count, duration, times } from '../report/format.js'
import { KEEPING, LOADING, run as serve, type Half } from '../../demo/run.js'
import { throughput, type Report } from '../../demo/report.js'
import { generateTrace } from '../../demo/trace.js'

const WORKERS = 2
const HALVES: readonly [name: string, half: Half][] = [
  ['sessions are kept for good', KEEPING],
  ['sessions expire, and are loaded', LOADING],
]

/** What the demo serves. */
export const demo: Case = {
  name: 'demo',
  title: 'The demo',
  method: `Both halves of \`npm run demo\`: ${WORKERS} workers read sessions of six objects and arrays by Zipf's law and change 5 % of them, in one mapsafe for all, and in a private
lru-cache in each, which returns stale sessions; requests of a second, and the 99th percentile of the time of one.`,
  async run(run: Run): Promise<Findings> {
    const trace = generateTrace(run.seed)
    const reports: Report[] = []
    for (const [name, half] of HALVES) {
      run.progress(name)
      const options = { help: false, workers: WORKERS, seconds: run.quick ? 1 : 16, seed: run.seed, trace: undefined }
      reports.push(await serve(half, options, trace, () => undefined))
    }
    const [kept] = reports
    return {
      tables: [
        {
          title: `${count(WORKERS)} workers`,
          columns: ['', 'mapsafe, requests/s', '/ lru-cache', 'mapsafe, p99', '/ lru-cache', 'stale reads, lru-cache'],
          rows: reports.map((report, index) => [
            HALVES[index][0],
            count(Math.round(throughput(report.shared))),
            times(served(report)),
            duration(report.shared.latencies.p99),
            times(slow(report)),
            count(report.private.stale),
          ]),
        },
      ],
      charts: [],
      verdicts: [
        atLeast('V6', "first half: throughput / private lru-cache's", served(kept), 0.65, times),
        atMost('V6', "first half: p99 / private lru-cache's", slow(kept), 2, times),
      ],
      omissions: [],
    }
  },
}

const served = ({ shared, private: other }: Report): number => throughput(shared) / throughput(other)
const slow = ({ shared, private: other }: Report): number => shared.latencies.p99 / other.latencies.p99
