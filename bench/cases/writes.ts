import { contenderNames } from '../contenders/index.js'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { compare, roundsOf, type Timings } from '../harness/comparison.js'
import { VALUE_NAMES, type ValueKind } from '../harness/data.js'
import { ratio } from '../harness/statistics.js'
import { atLeast, atMost, type Verdict } from '../harness/targets.js'
import { barChart, type Bar } from '../report/chart.js'
import { count, times } from '../report/format.js'
import { timingsBars, timingsTable } from '../report/timings.js'

const SMALL = 4096

interface Group {
  readonly size: number
  readonly value: ValueKind
}

const GROUPS: readonly Group[] = [
  { size: SMALL, value: 'string' },
  { size: SMALL, value: 'object' },
  { size: SMALL, value: 'number' },
  { size: SMALL, value: 'page' },
  { size: 1_000_000, value: 'string' },
  { size: 1_000_000, value: 'object' },
]

const QUICK_GROUPS: readonly Group[] = [
  { size: SMALL, value: 'string' },
  { size: SMALL, value: 'object' },
]

/** Single-thread overwrites against everything else. */
export const writes: Case = {
  name: 'writes',
  title: 'Writes by one thread',
  method: `One thread overwrites values of existing keys, drawn by Zipf's law. lmdb writes with \`putSync\`, each a transaction of its
own, as a value that others are to see at once must be, and with \`noSync\`.`,
  async run(run: Run): Promise<Findings> {
    const tables: Table[] = []
    const bars: Bar[] = []
    const verdicts: Verdict[] = []
    for (const { size, value } of run.quick ? QUICK_GROUPS : GROUPS) {
      const what = `${VALUE_NAMES[value]}, ${count(size)} keys`
      const timings = await compare(
        { ...run, progress: (doing) => run.progress(`${what}: ${doing}`) },
        { size, value },
        contenderNames,
        ['set'],
      )
      tables.push(timingsTable(what, timings))
      if (size !== SMALL) continue
      if (value === 'string' || value === 'object') bars.push(...timingsBars(what, timings, 'set'))
      if (value === 'string') verdicts.push(...stringVerdicts(timings))
    }
    const title = 'Time of one set of an existing key (logarithmic scale)'
    return { tables, charts: [barChart('writes', title, title, bars)], verdicts, omissions: [] }
  },
}

function stringVerdicts(timings: Timings): Verdict[] {
  const native = roundsOf(timings, 'set', 'mapsafeNative')
  const typescript = roundsOf(timings, 'set', 'mapsafeTypescript')
  const ttl = roundsOf(timings, 'set', 'lruCacheTtl')
  const lmdb = roundsOf(timings, 'set', 'lmdbString')
  const sharedmap = roundsOf(timings, 'set', 'sharedmap')
  return [
    atMost('P4', 'native set / lru-cache set with ttl', ratio(native, ttl), 2, times),
    atLeast('P4', 'lmdb putSync / native set', ratio(lmdb, native), 30, times),
    atMost('P5', 'TypeScript set / native set', ratio(typescript, native), 2.5, times),
    atLeast('P5', 'sharedmap set / TypeScript set', ratio(sharedmap, typescript), 5, times),
  ]
}
