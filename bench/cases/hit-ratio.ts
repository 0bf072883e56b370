import { hitRatio } from '../simulator/simulate.js'
import { lru, mapsafe, opt, rivals } from '../simulator/policies/index.js'
import type { PolicyKind } from '../simulator/policy.js'
import { syntheticTraces } from '../simulator/synthetic.js'
import { readTraces, type Trace } from '../simulator/trace.js'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { above, atLeast, type Verdict } from '../harness/targets.js'
import { count } from '../report/format.js'

/** Share of a trace's distinct keys. */
const SHARES = [0.01, 0.1]
/** Less than this is no cache. */
const MIN_CAPACITY = 20
/** In points under LRU, on any trace. */
const MOST_BELOW_LRU = 1
const ACCESSES = 200_000
const QUICK_ACCESSES = 20_000

const columns: readonly PolicyKind[] = [...rivals, opt, mapsafe]

/** One trace at one capacity: percent, by policy. */
interface Row {
  readonly trace: string
  readonly capacity: number
  readonly ratios: ReadonlyMap<PolicyKind, number>
}

/** How often a bounded cache would have held the key asked for. */
export const hitRatios: Case = {
  name: 'hit-ratio',
  title: 'Hit ratios of eviction policies',
  method: `Simulated in \`bench/simulator\`: every access of a trace asks for a key and stores it if it was not there. Capacities are 1 % and
10 % of the trace's distinct keys, but at least ${MIN_CAPACITY}. OPT looks ahead and is the limit. The column of mapsafe runs the queues of the
TypeScript engine. \`--traces DIR\` takes traces of your own, files \`*.txt.gz\` with one key a line.`,
  run(run: Run): Promise<Findings> {
    const accesses = run.quick ? QUICK_ACCESSES : ACCESSES
    const traces = run.traces === undefined ? syntheticTraces(accesses, run.seed) : readTraces(run.traces)
    const rows = traces.flatMap((trace) => {
      run.progress(trace.name)
      return SHARES.map((share) => simulate(trace, Math.max(MIN_CAPACITY, Math.floor(trace.keys * share))))
    })
    const omissions =
      run.traces === undefined ? ['recorded traces: none were given (--traces), so made-up ones are used.'] : []
    return Promise.resolve({ tables: [table(rows)], charts: [], verdicts: verdicts(rows), omissions })
  },
}

function simulate(trace: Trace, capacity: number): Row {
  return {
    trace: trace.name,
    capacity,
    ratios: new Map(columns.map((kind) => [kind, hitRatio(kind, trace, capacity)])),
  }
}

const ratioOf = (row: Row, kind: PolicyKind): number => row.ratios.get(kind)!

const meanOf = (rows: readonly Row[], kind: PolicyKind): number =>
  rows.reduce((sum, row) => sum + ratioOf(row, kind), 0) / rows.length

/** The lead over LRU, in points, where it is least. */
const leastLead = (rows: readonly Row[], kind: PolicyKind): number =>
  Math.min(...rows.map((row) => ratioOf(row, kind) - ratioOf(row, lru)))

const show = (value: number): string => value.toFixed(1)
const showFinely = (value: number): string => value.toFixed(2)

function table(rows: readonly Row[]): Table {
  return {
    title: 'Hits, percent of the accesses',
    columns: ['trace', 'capacity', ...columns.map(({ name }) => name)],
    rows: [
      ...rows.map((row) => [row.trace, count(row.capacity), ...columns.map((kind) => show(ratioOf(row, kind)))]),
      ['mean', '', ...columns.map((kind) => showFinely(meanOf(rows, kind)))],
      ['against LRU, least', '', ...columns.map((kind) => showFinely(leastLead(rows, kind)))],
    ],
  }
}

function verdicts(rows: readonly Row[]): Verdict[] {
  const best = Math.max(...rivals.map((kind) => meanOf(rows, kind)))
  return [
    above('P12', 'mean hit ratio / best of the other policies, percent', meanOf(rows, mapsafe), best, showFinely),
    atLeast(
      'P12',
      'hit ratio - LRU, points, on the worst trace',
      leastLead(rows, mapsafe),
      -MOST_BELOW_LRU,
      showFinely,
    ),
  ]
}
