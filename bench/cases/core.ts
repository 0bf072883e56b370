import type { Case, Findings, Run, Table } from '../harness/case.js'
import { buildNativeProgram, runNativeProgram } from '../harness/native-program.js'
import { atLeast, type Verdict } from '../harness/targets.js'
import { panelTitle, type Chart } from '../report/chart.js'
import { count, rate, times } from '../report/format.js'

/** A line of native/bench/core_bench.cc. */
interface Row {
  readonly keys: number
  readonly threads: number
  /** Percent. */
  readonly writes: number
  readonly map: string
  /** Million operations a second. */
  readonly mops: number
}

/** Libraries that the target names, with Debian's packages; a read-write lock around a standard map only compares. */
const PACKAGES = { libcuckoo: 'libcuckoo-dev', TBB: 'libtbb-dev' }
const RIVALS = Object.keys(PACKAGES) as (keyof typeof PACKAGES)[]
const THREADS = 2
const TARGET = 1.3

/** The C++ core by itself. */
export const core: Case = {
  name: 'core',
  title: 'The C++ core against other C++ maps',
  method: `\`native/bench/core_bench.cc\`, built with \`-O3\`: threads read and overwrite 100-byte values under 20-byte keys, drawn evenly, copying
each value out and checking it. libcuckoo and TBB are Debian's. \`shared_mutex\` is a \`std::unordered_map\` under a
\`std::shared_mutex\`.`,
  async run(run: Run): Promise<Findings> {
    run.progress('building core_bench')
    const program = await buildNativeProgram('core_bench')
    run.progress('running core_bench')
    const parameters = run.quick ? ['--seconds', '0.03', '--keys', '4096'] : ['--seconds', '0.4']
    const rows = await runNativeProgram<Row>(program, parameters)
    const missing = RIVALS.filter((map) => !rows.some((row) => row.map === map))
    return {
      tables: [table(rows)],
      charts: [chart(rows)],
      verdicts: verdicts(rows),
      omissions: missing.map(
        (map) =>
          `${map}: it was not found when core_bench was built; install ${PACKAGES[map]} (apt-get) and run again.`,
      ),
    }
  },
}

interface Setting {
  readonly keys: number
  readonly threads: number
  readonly writes: number
}

const settingsOf = (rows: readonly Row[]): Setting[] => {
  const distinct = new Map(rows.map((row) => [`${row.keys} ${row.threads} ${row.writes}`, row]))
  return [...distinct.values()]
}

const find = (rows: readonly Row[], { keys, threads, writes }: Setting, map: string): number =>
  rows.find((row) => row.keys === keys && row.threads === threads && row.writes === writes && row.map === map)?.mops ??
  NaN

/** How many times as fast as the best rival; NaN if one of them is missing. */
const againstBest = (rows: readonly Row[], setting: Setting): number =>
  find(rows, setting, 'mapsafe') / Math.max(...RIVALS.map((map) => find(rows, setting, map)))

function table(rows: readonly Row[]): Table {
  const maps = [...new Set(rows.map(({ map }) => map))]
  return {
    title: 'All threads together',
    columns: ['keys', 'threads', 'writes', ...maps, 'mapsafe / best of libcuckoo and TBB'],
    rows: settingsOf(rows).map((setting) => [
      count(setting.keys),
      String(setting.threads),
      `${setting.writes} %`,
      ...maps.map((map) => rate(find(rows, setting, map) * 1e6)),
      times(againstBest(rows, setting)),
    ]),
  }
}

function verdicts(rows: readonly Row[]): Verdict[] {
  return settingsOf(rows)
    .filter(({ threads }) => threads === THREADS)
    .map((setting) => {
      const what = `core / best of libcuckoo and TBB: ${count(setting.keys)} keys, ${setting.writes} % writes`
      return atLeast('P6', what, againstBest(rows, setting), TARGET, times)
    })
}

function chart(rows: readonly Row[]): Chart {
  const values = rows
    .filter(({ threads }) => threads === THREADS)
    .map((row) => ({ ...row, mix: `${row.writes} % writes` }))
  const keyCounts = [...new Set(values.map(({ keys }) => keys))]
  return {
    name: 'core',
    description: 'Million operations a second of the C++ maps with two threads, for each mix and number of keys',
    spec: {
      title: 'C++ maps, two threads: million operations a second',
      hconcat: keyCounts.map((keys) => ({
        title: panelTitle(`${count(keys)} keys`),
        data: { values: values.filter((value) => value.keys === keys) },
        width: 320,
        height: 220,
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          x: { field: 'mix', type: 'nominal', sort: null, title: null, axis: { labelAngle: 0 } },
          xOffset: { field: 'map', type: 'nominal', sort: null },
          y: { field: 'mops', type: 'quantitative', title: null },
          color: {
            field: 'map',
            type: 'nominal',
            title: null,
            sort: null,
            scale: { range: ['#0072b2', '#e69f00', '#d55e00', '#9a9a9a'] },
            legend: { orient: 'bottom', direction: 'horizontal' },
          },
        },
      })),
    },
  }
}
