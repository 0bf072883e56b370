import { contenderNames } from '../contenders/index.js'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { compare, roundsOf, type Timings } from '../harness/comparison.js'
import { VALUE_NAMES, type ValueKind } from '../harness/data.js'
import { ratio } from '../harness/statistics.js'
import { atLeast, atMost, type Verdict } from '../harness/targets.js'
import type { Operation } from '../harness/stage.js'
import { barChart, type Bar } from '../report/chart.js'
import { count, times } from '../report/format.js'
import { timingsBars, timingsTable } from '../report/timings.js'

const SMALL = 4096

interface Group {
  readonly size: number
  readonly value: ValueKind
  readonly operations: readonly Operation[]
}

const EVERY_READ: readonly Operation[] = ['hit', 'hitFreshKey', 'miss']

const GROUPS: readonly Group[] = [
  { size: SMALL, value: 'string', operations: EVERY_READ },
  { size: SMALL, value: 'object', operations: ['hit'] },
  { size: SMALL, value: 'number', operations: ['hit'] },
  { size: SMALL, value: 'page', operations: ['hit'] },
  { size: 1_000_000, value: 'string', operations: EVERY_READ },
  { size: 1_000_000, value: 'object', operations: ['hit'] },
  { size: 1_000_000, value: 'number', operations: ['hit'] },
]

const QUICK_GROUPS: readonly Group[] = [
  { size: SMALL, value: 'string', operations: EVERY_READ },
  { size: SMALL, value: 'object', operations: ['hit'] },
]

/** Single-thread reads against everything else. */
export const reads: Case = {
  name: 'reads',
  title: 'Reads by one thread',
  method: `One thread reads keys of 20 characters, drawn by Zipf's law. *Key built for the call*: the key is a new string each
time, so that its hash must be computed; otherwise it is the string object that was inserted. Objects come back as they would be used:
decoded, and frozen where the store freezes. With 1 M keys most reads miss the near-cache, which has its default of 8,192
entries. \`lmdb\` is opened with \`noSync\`; *validated cache* is its option \`cache: { validated: true }\`.
sharedmap stores strings only.`,
  async run(run: Run): Promise<Findings> {
    const tables: Table[] = []
    const bars: Bar[] = []
    const verdicts: Verdict[] = []
    for (const { size, value, operations } of run.quick ? QUICK_GROUPS : GROUPS) {
      const what = `${VALUE_NAMES[value]}, ${count(size)} keys`
      const timings = await compare(
        { ...run, progress: (doing) => run.progress(`${what}: ${doing}`) },
        { size, value },
        contenderNames,
        operations,
      )
      tables.push(timingsTable(what, timings))
      if (size !== SMALL) continue
      if (value === 'string' || value === 'object') bars.push(...timingsBars(what, timings, 'hit'))
      if (value === 'string') verdicts.push(...stringVerdicts(timings))
      if (value === 'object') verdicts.push(...objectVerdicts(timings))
    }
    const title = 'Time of one get, hit (logarithmic scale)'
    return { tables, charts: [barChart('reads', title, title, bars)], verdicts, omissions: omitted(run) }
  },
}

function stringVerdicts(timings: Timings): Verdict[] {
  const map = roundsOf(timings, 'hit', 'map')
  const near = roundsOf(timings, 'hit', 'mapsafeNear')
  const native = roundsOf(timings, 'hit', 'mapsafeNative')
  const typescript = roundsOf(timings, 'hit', 'mapsafeTypescript')
  const lmdb = roundsOf(timings, 'hit', 'lmdbString')
  const ttl = roundsOf(timings, 'hit', 'lruCacheTtl')
  return [
    atMost('P1', 'near hit / Map.get', ratio(near, map), 1.35, times),
    atMost('P1', 'near hit / lru-cache with ttl', ratio(near, ttl), 1, times),
    atMost('P2', 'native read / Map.get', ratio(native, map), 2.8, times),
    atLeast('P2', 'lmdb get, string / native read', ratio(lmdb, native), 4, times),
    atMost('P5', 'TypeScript read / native read', ratio(typescript, native), 2.5, times),
    atLeast(
      'P5',
      'sharedmap get / TypeScript read',
      ratio(roundsOf(timings, 'hit', 'sharedmap'), typescript),
      5,
      times,
    ),
  ]
}

function objectVerdicts(timings: Timings): Verdict[] {
  const native = roundsOf(timings, 'hit', 'mapsafeNative')
  const lmdb = roundsOf(timings, 'hit', 'lmdbMsgpack')
  return [atLeast('P3', 'lmdb get, msgpack / native read', ratio(lmdb, native), 3.5, times)]
}

function omitted({ redisPort }: Run): string[] {
  return redisPort === undefined
    ? ['Redis: no `redis-server` is installed; install it (apt-get install redis-server) and run again.']
    : []
}
