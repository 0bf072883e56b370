import { kindOf, type ContenderName } from '../contenders/index.js'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { drawKeys } from '../harness/draws.js'
import { mixes as mixTable, mixNames, type MixName } from '../harness/mix.js'
import { median, percentiles, ratio } from '../harness/statistics.js'
import { atLeast, type Verdict } from '../harness/targets.js'
import { Team, type Work } from '../harness/team.js'
import { familyOf } from '../report/chart.js'
import { latencyChart, throughputChart, type Point } from '../report/mix-charts.js'
import { count, duration, rate, times } from '../report/format.js'

const CONTENDERS: readonly ContenderName[] = [
  'mapsafeNear',
  'mapsafeNative',
  'mapsafeTypescript',
  'lmdbString',
  'sharedmap',
  'redis',
  'lruCache',
]

interface Group {
  readonly size: number
  readonly workers: readonly number[]
}

interface Effort {
  readonly groups: readonly Group[]
  readonly rounds: number
  readonly milliseconds: number
  readonly draws: number
}

const FULL: Effort = {
  groups: [
    { size: 4096, workers: [1, 2, 4] },
    { size: 1_000_000, workers: [1, 2] },
  ],
  rounds: 5,
  milliseconds: 80,
  draws: 2 ** 20,
}
const QUICK: Effort = {
  groups: [{ size: 4096, workers: [1, 2] }],
  rounds: 2,
  milliseconds: 20,
  draws: 2 ** 16,
}

/** Before the rounds of each mix: code is compiled and data is in the caches. */
const WARMUP_MILLISECONDS = 60

const TARGETS: Readonly<Partial<Record<MixName, number>>> = { '100:0': 1.9, '95:5': 1.8, '50:50': 1.5 }

/** Several threads on one store. */
export const mixes: Case = {
  name: 'mixes',
  title: 'Several workers at once',
  method: `Worker threads read and overwrite 100-byte strings of one store, keys drawn by Zipf's law, so that all workers want the same
hot keys. Writes are spread evenly among the reads, except for *bursts*: 1,000 writes after every 9,000 reads. lru-cache is
beside them for comparison only: each worker has its own, and sees nothing of what the others write. Latencies are those of every 61st
operation (of every one with Redis), reads and writes together, and include reading the clock twice, some 50 ns.`,
  async run(run: Run): Promise<Findings> {
    const effort = run.quick ? QUICK : FULL
    const tables: Table[] = []
    const verdicts: Verdict[] = []
    const points: Point[] = []
    for (const group of effort.groups) {
      const results = await measure(run, effort, group)
      for (const mix of mixNames) tables.push(mixTableOf(group, mix, results))
      if (group !== effort.groups[0]) continue
      verdicts.push(...scalingVerdicts(results))
      points.push(...pointsOf(results))
    }
    const charts = [throughputChart(points), latencyChart(points.filter(({ workers }) => workers === 2))]
    return { tables, charts, verdicts, omissions: [] }
  },
}

/** The rounds of one cell of the tables. */
interface Result {
  readonly name: ContenderName
  readonly mix: MixName
  readonly workers: number
  readonly works: Work[]
}

async function measure(run: Run, effort: Effort, { size, workers }: Group): Promise<Result[]> {
  const { rounds, milliseconds } = effort
  const draws = drawKeys(size, effort.draws, run.seed)
  const teams: Team[] = []
  const results: Result[] = []
  try {
    for (const name of CONTENDERS.filter((one) => kindOf(one).supports('string', run))) {
      run.progress(`${count(size)} keys: filling ${kindOf(name).label}`)
      teams.push(await Team.open(name, { size, value: 'string' }, Math.max(...workers), run, draws))
    }
    for (const mix of mixNames) {
      run.progress(`${count(size)} keys: ${mixTable[mix].name}`)
      const cells = teams.flatMap((team) =>
        workers.map((number) => ({ team, result: { name: team.name, mix, workers: number, works: [] as Work[] } })),
      )
      for (const team of teams) await team.work(mix, Math.max(...workers), WARMUP_MILLISECONDS)
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < cells.length; turn++) {
          const { team, result } = cells[(round + turn) % cells.length]
          result.works.push(await team.work(mix, result.workers, milliseconds))
        }
      }
      results.push(...cells.map(({ result }) => result))
    }
  } finally {
    await Promise.all(teams.map((team) => team.close()))
  }
  return results
}

const rates = (result: Result | undefined): number[] => result?.works.map((work) => work.rate) ?? []

const find = (results: readonly Result[], name: ContenderName, mix: MixName, workers: number): Result | undefined =>
  results.find((result) => result.name === name && result.mix === mix && result.workers === workers)

const latenciesOf = ({ works }: Result): ReturnType<typeof percentiles> =>
  percentiles(Float64Array.from(works.flatMap(({ latencies }) => [...latencies])))

/** A row a contender and number of workers. */
function mixTableOf({ size }: Group, mix: MixName, results: readonly Result[]): Table {
  return {
    title: `${mixTable[mix].name}, ${count(size)} keys`,
    columns: ['', 'workers', 'throughput', '/ 1 worker', '/ lmdb', 'p50', 'p99', 'p99.9'],
    rows: results
      .filter((result) => result.mix === mix)
      .map((result) => {
        const { name, workers } = result
        const { p50, p99, p999 } = latenciesOf(result)
        return [
          kindOf(name).label,
          String(workers),
          rate(median(rates(result))),
          times(ratio(rates(result), rates(find(results, name, mix, 1)))),
          times(ratio(rates(result), rates(find(results, 'lmdbString', mix, workers)))),
          duration(p50),
          duration(p99),
          duration(p999),
        ]
      }),
  }
}

function scalingVerdicts(results: readonly Result[]): Verdict[] {
  return (['mapsafeNear', 'mapsafeNative'] as const).flatMap((name) =>
    Object.entries(TARGETS).map(([mix, bound]) => {
      const [one, two] = [1, 2].map((workers) => rates(find(results, name, mix as MixName, workers)))
      return atLeast('P7', `${kindOf(name).label}, ${mix}: 2 workers / 1`, ratio(two, one), bound, times)
    }),
  )
}

function pointsOf(results: readonly Result[]): Point[] {
  return results.map((result) => {
    const { name, mix, workers } = result
    const { label } = kindOf(name)
    const perSecond = median(rates(result))
    return { label, family: familyOf(name), mix: mixTable[mix].name, workers, perSecond, ...latenciesOf(result) }
  })
}
