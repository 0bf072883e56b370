/**
 * Fuzzes with hostile bytes; see docs/reliability.md.
 *
 *   npm run fuzz -- [--minutes N] [--seed S] [--only core|typescript|values] [--round R]
 *
 * The core under libFuzzer (needs Clang and cmake), then the TypeScript engine, the maps and the codec, then the bytes of
 * values in a process with little memory: N minutes in all (default 10), a third for each. Prints the seed, how much was run, and what was found; exits with 1 if anything was.
 * Inputs that reach something new are kept in out/fuzz/corpus; `--merge` puts those that matter into out/fuzz/merged,
 * for native/fuzz/corpus, and does nothing else. `--round` begins with that round of the fuzzers in TypeScript, to
 * repeat a finding.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { clearTimeout, setTimeout } from 'node:timers'
import { parseArgs } from 'node:util'
import { exists, must, root } from './tools.js'

const CORPUS = 'native/fuzz/corpus'
const FOUND = 'out/fuzz/corpus'
const FINDINGS = 'out/fuzz/findings'
const TARGET = 'out/cmake/fuzz/damage_fuzz'
/** A round of the TypeScript fuzzer takes milliseconds; this long without a word is a hang. */
const SILENCE_MS = 60_000
const MAX_INPUT_BYTES = 513
/** Inputs of the regression test: replayed in a few seconds. */
const MAX_CORPUS_BYTES = 257

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) },
    only: { type: 'string' },
    round: { type: 'string', default: '0' },
    merge: { type: 'boolean', default: false },
  },
})

function buildCore() {
  must('cmake', ['--preset', 'fuzz', '--log-level=WARNING'])
  must('cmake', ['--build', '--preset', 'fuzz', '--', '--quiet'])
}

/** @returns the number of findings */
function fuzzCore(seconds) {
  for (const folder of [FOUND, FINDINGS]) mkdirSync(join(root, folder), { recursive: true })
  const before = readdirSync(join(root, FINDINGS)).length
  const { status, stderr } = spawnSync(
    join(root, TARGET),
    [
      ...[`-max_total_time=${seconds}`, `-seed=${options.seed}`, `-max_len=${MAX_INPUT_BYTES}`],
      ...['-timeout=30', '-rss_limit_mb=2048', '-malloc_limit_mb=512', '-print_final_stats=1', '-verbosity=1'],
      ...[`-artifact_prefix=${FINDINGS}/`, FOUND, CORPUS],
    ],
    { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30 },
  )
  const executions = /number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? 'an unknown number of'
  console.log(`core: ${executions} executions in ${seconds} s, seed ${options.seed}`)
  if (status === 0) return 0
  console.error(stderr.split('\n').slice(-60).join('\n'))
  const found = readdirSync(join(root, FINDINGS)).length - before
  console.error(`core: the input is in ${FINDINGS}; run ${TARGET} with it to repeat the finding`)
  return Math.max(1, found)
}

/** @returns the number of findings, 0 or 1 */
async function fuzzInNode(name, program, seconds, flags = []) {
  const main = [...flags, '--import', 'tsx', program, String(seconds), options.seed, options.round]
  const child = spawn(process.execPath, main, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  let last = ''
  let watchdog
  const rewind = () => {
    clearTimeout(watchdog)
    watchdog = setTimeout(() => {
      console.error(`${name}: a hang, soon after ${last} with seed ${options.seed}`)
      child.kill('SIGKILL')
    }, SILENCE_MS)
  }
  rewind()
  createInterface(child.stdout).on('line', (line) => {
    last = line
    rewind()
  })
  const status = await new Promise((resolve) => child.on('close', resolve))
  clearTimeout(watchdog)
  console.log(`${name}: ${last} in ${seconds} s, seed ${options.seed}`)
  return status === 0 ? 0 : 1 // null after a signal
}

/** Keeps the inputs that together reach all that was ever reached. */
function merge() {
  const merged = 'out/fuzz/merged'
  rmSync(join(root, merged), { recursive: true, force: true })
  mkdirSync(join(root, merged), { recursive: true })
  const limit = `-max_len=${MAX_CORPUS_BYTES}`
  must(join(root, TARGET), ['-merge=1', limit, '-use_counters=0', merged, CORPUS, FOUND])
  console.log(`${readdirSync(join(root, merged)).length} inputs in ${merged}: copy those wanted to ${CORPUS}`)
}

const seconds = Math.max(1, Math.round((Number(options.minutes) * 60) / (options.only === undefined ? 3 : 1)))
let findings = 0
if (options.only === undefined || options.only === 'core') {
  if (exists('clang++') && exists('cmake')) {
    buildCore()
    if (options.merge) merge()
    else findings += fuzzCore(seconds)
  } else {
    console.warn('Clang or cmake is not installed: the core was left out')
  }
}
if (options.only !== 'core' && !options.merge) {
  if (options.only !== 'values') findings += await fuzzInNode('typescript', 'test/fuzz/main.ts', seconds)
  if (options.only !== 'typescript') {
    // Ends with an error, or by a signal, for lack of memory.
    findings += await fuzzInNode('values', 'test/fuzz/values-main.ts', seconds, ['--max-old-space-size=128'])
  }
}
if (!options.merge) console.log(`findings: ${findings}`)
process.exit(findings === 0 ? 0 : 1)
