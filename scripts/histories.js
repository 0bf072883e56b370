/**
 * Compares how two revisions live through the twenty histories of bench/histories, one history at a time, so that a
 * busy machine can be used in short pieces.
 *
 *   node scripts/histories.js live FOLDER --before CHECKOUT [--mebibytes N] [--only FIRST-LAST]
 *   node scripts/histories.js table FOLDER
 *
 * `live` measures histories (numbers from 0; default: all that FOLDER has not) with this checkout and with CHECKOUT, in
 * turns, and leaves a file for each in FOLDER. Both checkouts are built (`node scripts/setup.js --programs`); the
 * programs of the benchmark are this one's. `table` writes docs/benchmarks/histories.md.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './tools.js'

const REPORT = join(root, 'docs/benchmarks/histories.md')
const PROGRAMS = join(root, 'out/programs/bench')
const COPY = 'out/histories-of-another-checkout'
const SEED = 1
const TIMES = 2
const ENGINES = ['native', 'typescript']
const REVISIONS = ['before', 'now']

const { histories } = await import(join(PROGRAMS, 'histories/index.js'))
const { Planner } = await import(join(PROGRAMS, 'histories/planner.js'))
const { startAllocators } = await import(join(PROGRAMS, 'histories/allocators.js'))

const git = (folder, ...parameters) => execFileSync('git', ['-C', folder, ...parameters], { encoding: 'utf8' }).trim()

/** What the worker of the benchmark, which imports the package of the checkout that it lies in, says of a history. */
function livedIn(folder, setup) {
  const program = join(folder, 'cases/histories.worker.js')
  const output = execFileSync(process.execPath, ['--expose-gc', program, JSON.stringify(setup)], { encoding: 'utf8' })
  return JSON.parse(output)
}

async function live(into, { before, mebibytes, only }) {
  mkdirSync(into, { recursive: true })
  const copy = join(resolve(before), COPY)
  cpSync(PROGRAMS, copy, { recursive: true })
  const folders = { before: copy, now: PROGRAMS }
  const revisions = {
    before: git(before, 'rev-parse', '--short', 'HEAD'),
    now: git(root, 'rev-parse', '--short', 'HEAD'),
  }
  const omissions = []
  const allocators = await startAllocators(resolve(into), omissions)
  for (const omission of omissions) console.log(`not measured: ${omission}`)
  const [first, last] = only === undefined ? [0, histories.length - 1] : only.split('-').map(Number)
  for (let index = first; index <= last; index++) {
    const result = join(into, `${index}.json`)
    if (only === undefined && existsSync(result)) continue
    const history = histories[index]
    const maxBytes = mebibytes * 2 ** 20
    const planner = new Planner(maxBytes, SEED + index)
    history.plan(planner)
    const file = join(into, 'operations')
    writeFileSync(file, planner.operations)
    const isCache = history.isCache ?? false
    const setup = { isCache, maxBytes, file, last: history.last, seed: SEED, times: TIMES }
    const outcome = { name: history.name, isCache, mebibytes, revisions, allocators: {} }
    for (const engine of ENGINES) {
      outcome[engine] = {}
      for (const revision of REVISIONS) outcome[engine][revision] = livedIn(folders[revision], { ...setup, engine })
    }
    for (const { name, start } of allocators) outcome.allocators[name] = await start(file)
    writeFileSync(result, `${JSON.stringify(outcome, undefined, 1)}\n`)
    console.log(`${index} ${history.name}: failed ${REVISIONS.map((one) => outcome.native[one].failed).join(' -> ')}`)
  }
}

const percent = (part, digits = 1) =>
  part === null || !Number.isFinite(part) ? '-' : `${(part * 100).toFixed(digits)} %`
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)}`

function ourTable(outcomes, engine) {
  const size = outcomes[0].mebibytes * 2 ** 20
  const both = (of) => `${of('before')} / ${of('now')}`
  const rows = outcomes.map((outcome) => {
    const at = (revision) => outcome[engine][revision]
    const cells = [
      outcome.name,
      at('now').sets.toLocaleString('en'),
      both((one) => percent(at(one).failed / at(one).sets, 2)),
      both((one) => percent(at(one).least === null ? null : at(one).least / size, 0)),
      both((one) => percent(at(one).usable, 0)),
      percent(at('now').usableFresh, 0),
      both((one) => at(one).rate.toFixed(0)),
      both((one) => at(one).longest.toFixed(1)),
      both((one) => String(at(one).long)),
      mebibytes(at('now').live),
      both((one) => mebibytes(at(one).resident)),
    ]
    return `| ${cells.join(' | ')} |`
  })
  const columns = [
    '',
    'sets',
    'failed',
    'live at the first refusal',
    'usable',
    'fresh',
    'ops/ms',
    'longest call, ms',
    'calls above 5 ms',
    'live, MiB',
    'resident, MiB',
  ]
  return [`| ${columns.join(' | ')} |`, `| --- |${' ---: |'.repeat(columns.length - 1)}`, ...rows].join('\n')
}

function theirTable(outcomes) {
  const names = Object.keys(outcomes[0].allocators)
  const columns = [
    '',
    'live, MiB',
    ...names.flatMap((name) => [`${name}: ops/ms`, 'longest call, ms', 'resident, MiB', 'at most, MiB']),
  ]
  const rows = outcomes.map(({ name, allocators }) => {
    const cells = Object.values(allocators).flatMap(({ rate, longest, resident, peak }) => [
      rate.toFixed(0),
      longest.toFixed(1),
      mebibytes(resident),
      mebibytes(peak),
    ])
    return `| ${[name, mebibytes(Object.values(allocators)[0]?.live ?? 0), ...cells].join(' | ')} |`
  })
  return [`| ${columns.join(' | ')} |`, `| --- |${' ---: |'.repeat(columns.length - 1)}`, ...rows].join('\n')
}

/** The least share of keys and values at which a set was refused, after any history. */
function leastNow(outcomes) {
  const shares = outcomes.flatMap((outcome) =>
    ENGINES.map((engine) => (outcome[engine].now.least ?? Infinity) / (outcome.mebibytes * 2 ** 20)),
  )
  return Math.min(...shares)
}

function table(folder) {
  const outcomes = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
  if (outcomes.length === 0)
    throw new Error(`${folder} has no results; node scripts/histories.js live ${folder} makes them`)
  const { mebibytes: size, revisions } = outcomes[0]
  writeFileSync(
    REPORT,
    `*Generated by \`node scripts/histories.js table FOLDER\` on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model}, ${cpus().length} cores, Node.js ${process.version}.*

# Twenty histories, before and now

Each of the [twenty histories](../../bench/histories/index.ts) of a map of ${size} MiB, lived through by two revisions: ${revisions.before}, the last one in which nothing moved and no segment joined, and
${revisions.now} (\`node scripts/histories.js live FOLDER --before CHECKOUT --mebibytes ${size}\`). Each is lived through twice, and a call is as long as the shorter of its two times. The machine had other work: shares, counts and sizes
are the same on any machine, but times are upper bounds.

Cells with two figures are *before / now*. *failed*: sets that were refused; in a cache, entries that were evicted. *live at the first refusal*: the least share of \`maxBytes\` that keys and values had when an entry of up to a 128th of it was
refused, now never below ${percent(leastNow(outcomes), 0)}; what a map promises after any history is in [the guide](../guide/10-memory-and-limits.md#memory). *usable*: the share that they have when the map is full for the first time after the history; *fresh*: in a map without one. *resident*: what came with the map, JavaScript's own memory included.

${ENGINES.map((engine) => `## ${engine === 'native' ? 'Native engine' : 'TypeScript engine'}\n\n${ourTable(outcomes, engine)}`).join('\n\n')}

## std::unordered_map on other allocators

The same operations ([histories_bench.cc](../../native/bench/histories_bench.cc)), with as much memory as they like.

${theirTable(outcomes)}
`,
  )
}

const { values, positionals } = parseArgs({
  options: {
    before: { type: 'string' },
    mebibytes: { type: 'string', default: '32' },
    only: { type: 'string' },
  },
  allowPositionals: true,
})
const [command, folder] = positionals
if (folder === undefined || (command === 'live') !== (values.before !== undefined)) {
  throw new Error('expected: live FOLDER --before CHECKOUT, or: table FOLDER')
}
if (command === 'live') await live(folder, { ...values, mebibytes: Number(values.mebibytes) })
else table(folder)
