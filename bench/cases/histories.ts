import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Case, Findings, Run, Table } from '../harness/case.js'
import { startAllocators, type AllocatorOutcome } from '../histories/allocators.js'
import { histories, type History } from '../histories/index.js'
import { mixes, mixOf, type MixName } from '../histories/mixes.js'
import { Planner } from '../histories/planner.js'
import type { HistoryOutcome, HistorySetup } from './histories.worker.js'

const ENGINES = ['native', 'typescript'] as const
const MAX_BYTES = 32 * 2 ** 20
const QUICK_BYTES = 8 * 2 ** 20
const run = promisify(execFile)

/** How good a map's memory is after a day, and how long its calls take meanwhile. */
export const historiesCase: Case = {
  name: 'histories',
  title: 'A day in the life',
  method: `Twenty histories of a map of 32 MiB, each in a process of its own: what is written, deleted and overwritten is decided by the seed, and never
more is live than the map promises for its sizes of entries (docs/guide/10-memory-and-limits.md). *failed*: sets that were refused, in a cache
entries that were evicted. *usable*: bytes of keys and values, as a part of \`maxBytes\`, when the map is full for the first time after the history, and
what a fresh map then has. *speed*: overwriting and reading what is left, against a fresh map with the same entries, median of 7 rounds.
*longest call*: each history is lived through twice, and a call is as long as the shorter of its two times, so that it is not the machine's other work that is
measured. Beside it a \`std::unordered_map\` of strings in C++ (\`native/bench/histories_bench.cc\`) with the same operations on jemalloc and mimalloc, which
may take as much memory as they like.`,
  async run(settings: Run): Promise<Findings> {
    const maxBytes = settings.quick ? QUICK_BYTES : MAX_BYTES
    const times = settings.quick ? 1 : 2
    const omissions: string[] = []
    const allocators = await startAllocators(settings.folder, omissions)
    const outcomes = new Map<History, { ours: HistoryOutcome[]; theirs: AllocatorOutcome[] }>()
    for (const [index, history] of histories.entries()) {
      const planner = new Planner(maxBytes, settings.seed + index)
      history.plan(planner)
      const file = join(settings.folder, `history-${index}`)
      writeFileSync(file, planner.operations)
      const ours: HistoryOutcome[] = []
      for (const engine of ENGINES) {
        settings.progress(`${history.name}, ${engine}`)
        ours.push(await live(history, { engine, maxBytes, file, times, seed: settings.seed }))
      }
      const theirs: AllocatorOutcome[] = []
      for (const { start } of allocators) theirs.push(await start(file))
      outcomes.set(history, { ours, theirs })
    }
    settings.progress('fresh maps')
    return {
      tables: [
        ...ENGINES.map((engine, index) =>
          ourTable(
            engine,
            [...outcomes].map(([history, { ours }]) => [history, ours[index]]),
          ),
        ),
        ...allocators.map(({ name }, index) =>
          theirTable(
            name,
            [...outcomes].map(([history, { theirs }]) => [history, theirs[index]]),
          ),
        ),
        await freshTable(settings, maxBytes),
      ],
      charts: [],
      verdicts: [],
      omissions,
    }
  },
}

type Settings = Pick<HistorySetup, 'engine' | 'maxBytes' | 'file' | 'seed' | 'times'>

async function live(
  { isCache = false, last }: Pick<History, 'isCache' | 'last'>,
  settings: Settings,
): Promise<HistoryOutcome> {
  const setup: HistorySetup = { ...settings, isCache, last }
  const program = fileURLToPath(new URL('histories.worker.js', import.meta.url))
  const { stdout } = await run(process.execPath, ['--expose-gc', program, JSON.stringify(setup)])
  return JSON.parse(stdout) as HistoryOutcome
}

function ourTable(engine: string, rows: readonly [History, HistoryOutcome][]): Table {
  return {
    title: `After each history, ${engine} engine`,
    columns: [
      '',
      'sets',
      'failed',
      'usable',
      'of a fresh map',
      'speed',
      'ops/ms',
      'longest call',
      'above 5 ms',
      'live',
      'resident',
    ],
    rows: rows.map(([{ name }, outcome]) => [
      name,
      outcome.sets.toLocaleString('en-US'),
      share(outcome.failed / outcome.sets, 2),
      share(outcome.usable),
      share(outcome.usableFresh),
      outcome.speed === null ? '-' : `${outcome.speed.toFixed(2)}x`,
      outcome.rate.toFixed(0),
      `${outcome.longest.toFixed(1)} ms`,
      String(outcome.long),
      mebibytes(outcome.live),
      mebibytes(outcome.resident),
    ]),
  }
}

function theirTable(name: string, rows: readonly [History, AllocatorOutcome][]): Table {
  return {
    title: `std::unordered_map on ${name}`,
    columns: ['', 'ops/ms', 'longest call', 'live', 'resident', 'at most', 'live / at most'],
    rows: rows.map(([history, outcome]) => [
      history.name,
      outcome.rate.toFixed(0),
      `${outcome.longest.toFixed(1)} ms`,
      mebibytes(outcome.live),
      mebibytes(outcome.resident),
      mebibytes(outcome.peak),
      share(outcome.live / outcome.peak),
    ]),
  }
}

/** What a map promises for each mix of sizes, and what a fresh one takes. */
async function freshTable({ folder, seed }: Run, maxBytes: number): Promise<Table> {
  const file = join(folder, 'no-history')
  writeFileSync(file, '')
  const rows: string[][] = []
  for (const last of Object.keys(mixes) as MixName[]) {
    const cells: string[] = []
    for (const isCache of [undefined, true] as const) {
      for (const engine of ENGINES) {
        const { usableFresh } = await live({ isCache, last }, { engine, maxBytes, file, seed, times: 1 })
        cells.push(share(usableFresh))
      }
    }
    rows.push([mixOf(last).name, share(mixOf(last).promise, 0), ...cells])
  }
  return {
    title: 'Keys and values in a fresh map when it is full for the first time, as a part of maxBytes',
    columns: [
      'sizes',
      'promise',
      ...ENGINES.map((engine) => `map, ${engine}`),
      ...ENGINES.map((engine) => `cache, ${engine}`),
    ],
    rows,
  }
}

const share = (part: number, digits = 1): string => (Number.isFinite(part) ? `${(part * 100).toFixed(digits)} %` : '-')
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
