/**
 * Checks the Promela model of the protocol (native/model) with spin: every interleaving of every scenario, and that
 * each mutant, one broken rule, gives a counterexample.
 *
 *   node scripts/model.js [--quick] [name ...]
 *
 * `--quick` leaves out the longest scenario and does not look for endless runs, but leaves out no mutant. Names choose
 * scenarios and mutants. Needs spin and gcc. Exits with 1 if a property fails, a mutant survives or is caught by
 * another property than the one it should fail, or spin or gcc is missing.
 */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from './tools.js'

const SOURCES = join(root, 'native/model')
const MAIN = 'protocol.pml'
const WAKING = 'waking.pml'
const FEED = 'feed.pml'
/** Steps of the longest run that is followed; a search that meets a longer one fails. */
const MAX_DEPTH = 10_000
const JOBS = 2

const scenarios = [
  { name: 'overwrite', about: 'two optimistic writers and a reader of one key' },
  { name: 'spill', about: 'a writer of two keys, one of them spilled; a cleanup that brings it home; a reader of it' },
  { name: 'neighbour', about: 'writers of a spilled key and of a key at home there; a reader of the latter' },
  { name: 'neighbour_first', about: 'the same, but the spilled key is met last; a reader of it' },
  {
    name: 'split',
    about: 'a split that also brings a key home; a writer and a reader of a spilled key that moves',
    isLong: true,
  },
  { name: 'split_writes', about: 'a split; two writers of the key that moves' },
  { name: 'split_reuse', about: 'a split; two writes one after the other, and a reader, of the key that moves' },
  { name: 'join', about: 'a join; a writer and a reader of the key that moves' },
  { name: 'join_reuse', about: 'a join; two writes one after the other, and a reader, of the key that moves' },
  { name: 'join_writes', about: 'a join; a writer of the key that moves and one of the key that stays' },
  { name: 'move', about: 'a move of an entry; a writer and a reader of its key' },
  { name: 'near_move', about: 'a near-cache of one thread; a move of the entry in it and a writer of its key' },
  { name: 'near', about: 'a near-cache of one thread; a writer of the key in it' },
  { name: 'near_split', about: 'a near-cache of one thread; a split and a writer of the key in it' },
  { name: 'wrap', about: 'a near-cache of one thread; a writer that makes the version wrap' },
  { name: 'wake', source: WAKING, about: 'two threads that wait at one word, and two that change what they wait for' },
  { name: 'bell', source: WAKING, about: 'the same in a file, where a thread of the addon waits for both' },
  {
    name: 'feed',
    source: FEED,
    about: 'the change feed: two writers of two keys lap the ring; a watcher comes meanwhile',
  },
  { name: 'death', source: FEED, about: 'the same, where a writer dies somewhere and the watcher takes over' },
  { name: 'leave', source: FEED, about: 'the last watcher leaves as another one comes; a writer' },
]

const READ = 'read_is_current'
const WRITE = 'write_saw_current'
const DEADLOCK = 'deadlock'
const CYCLE = 'an endless run'
const NO_OLDER = 'read_is_no_older'
const ORDER = 'told_in_order'
const LOST = 'nothing_is_lost'

/**
 * `fails`: the property. One that no caller can see is checked apart from the others: a mutant is caught by what it
 * does.
 */
const mutants = [
  { name: 'skip_version_bump', scenario: 'near', fails: READ },
  { name: 'hold_without_compare_and_swap', scenario: 'overwrite', fails: WRITE },
  { name: 'publish_before_built', scenario: 'near', fails: READ },
  { name: 'free_before_release', scenario: 'neighbour', fails: READ },
  { name: 'free_before_release', scenario: 'overwrite', fails: 'freed_after_release' },
  { name: 'reader_without_validation', scenario: 'overwrite', fails: READ },
  { name: 'reader_validates_only_home', scenario: 'neighbour_first', fails: READ },
  { name: 'reader_waits_for_even', scenario: 'near', fails: CYCLE },
  { name: 'writer_holds_only_home', scenario: 'neighbour', fails: READ },
  { name: 'writer_holds_only_home', scenario: 'neighbour', fails: 'held_when_changed' },
  { name: 'bring_home_clears_first', scenario: 'spill', fails: READ },
  { name: 'bring_home_without_step', scenario: 'spill', fails: READ },
  { name: 'split_empties_before_assigning', scenario: 'split', fails: READ },
  { name: 'split_releases_twin_first', scenario: 'split_reuse', fails: READ },
  { name: 'miss_without_directory_recheck', scenario: 'split', fails: READ },
  { name: 'write_without_directory_recheck', scenario: 'split_writes', fails: WRITE },
  { name: 'mutex_kept_after_split', scenario: 'split_writes', fails: DEADLOCK },
  { name: 'mutex_kept_after_split', scenario: 'split_writes', fails: 'ends_sound' },
  { name: 'twin_without_versions', scenario: 'near_split', fails: READ },
  { name: 'twin_without_versions', scenario: 'split', fails: 'version_grows' },
  { name: 'join_empties_before_assigning', scenario: 'join', fails: READ },
  { name: 'join_assigns_before_placing', scenario: 'join', fails: READ },
  { name: 'join_releases_lower_first', scenario: 'join_reuse', fails: READ },
  { name: 'joined_versions_kept', scenario: 'join', fails: 'version_grows' },
  { name: 'mutex_kept_after_join', scenario: 'join_writes', fails: 'ends_sound' },
  { name: 'write_without_directory_recheck', scenario: 'join_writes', fails: WRITE },
  { name: 'miss_without_directory_recheck', scenario: 'join', fails: READ },
  { name: 'move_without_compare_and_swap', scenario: 'move', fails: READ },
  { name: 'moved_before_copied', scenario: 'move', fails: READ },
  { name: 'moved_block_freed_before_the_swap', scenario: 'move', fails: READ },
  { name: 'moved_without_a_new_version', scenario: 'move', fails: READ },
  { name: 'near_accepts_odd', scenario: 'near', fails: READ },
  { name: 'near_remembers_late', scenario: 'near', fails: READ },
  { name: 'epoch_ignored', scenario: 'wrap', fails: READ },
  { name: 'epoch_not_raised', scenario: 'wrap', fails: READ },
  { name: 'epoch_after_version', scenario: 'wrap', fails: READ },
  { name: 'wait_not_announced', scenario: 'wake', fails: DEADLOCK },
  { name: 'no_second_look', scenario: 'wake', fails: DEADLOCK },
  { name: 'no_second_look', scenario: 'bell', fails: DEADLOCK },
  { name: 'change_without_fence', scenario: 'wake', fails: DEADLOCK },
  { name: 'wake_before_the_change', scenario: 'wake', fails: DEADLOCK },
  { name: 'word_not_changed', scenario: 'wake', fails: DEADLOCK },
  { name: 'one_woken', scenario: 'wake', fails: DEADLOCK },
  { name: 'bell_read_after_the_words', scenario: 'bell', fails: DEADLOCK },
  { name: 'bell_not_changed', scenario: 'bell', fails: DEADLOCK },
  { name: 'watch_without_a_look', scenario: 'bell', fails: DEADLOCK },
  { name: 'told_before_the_change', scenario: 'feed', fails: NO_OLDER },
  { name: 'change_without_fence', scenario: 'feed', fails: NO_OLDER },
  { name: 'told_after_the_release', scenario: 'feed', fails: ORDER },
  { name: 'reserved_after_the_store', scenario: 'feed', fails: ORDER },
  { name: 'nothing_reserved', scenario: 'feed', fails: ORDER },
  { name: 'gives_up_in_silence', scenario: 'feed', fails: LOST },
  { name: 'overtaken_in_silence', scenario: 'feed', fails: LOST },
  { name: 'too_many_dropped', scenario: 'feed', fails: LOST },
  { name: 'read_before_it_watches', scenario: 'feed', fails: LOST },
  { name: 'no_second_look', scenario: 'feed', fails: LOST },
  { name: 'wakes_nobody', scenario: 'feed', fails: LOST },
  { name: 'death_not_told', scenario: 'death', fails: LOST },
  { name: 'word_does_not_grow', scenario: 'leave', fails: LOST },
  { name: 'word_before_the_record', scenario: 'leave', fails: LOST },
]

const execute = promisify(execFile)

function sourceOf(scenario) {
  return scenarios.find(({ name }) => name === scenario).source ?? MAIN
}

/**
 * Builds and runs one checker. `cycles`: whether it also looks for runs that come back to a state, and so need not end.
 */
async function check({ scenario, mutant, isObservableOnly, cycles }) {
  const at = mkdtempSync(join(tmpdir(), 'mapsafe-model-'))
  try {
    const defines = [`-DSCENARIO_${scenario.toUpperCase()}`]
    if (mutant) defines.push(`-DMUTANT_${mutant.toUpperCase()}`)
    if (isObservableOnly) defines.push('-DOBSERVABLE_ONLY')
    await execute('spin', [...defines, '-a', join(SOURCES, sourceOf(scenario))], { cwd: at })
    // A mutant is caught in a moment; compiling it with optimization takes longer than that.
    const options = [mutant ? '-O0' : '-O1', '-w', '-DCOLLAPSE', cycles ? '-DNP' : '-DSAFETY']
    await execute('gcc', [...options, '-o', join(at, 'pan'), join(at, 'pan.c')])
    const parameters = [`-m${MAX_DEPTH}`, '-w22', '-n', ...(cycles ? ['-l'] : [])]
    const { stdout } = await execute(join(at, 'pan'), parameters, { cwd: at })
    return { ...parse(stdout), output: stdout }
  } finally {
    rmSync(at, { recursive: true, force: true })
  }
}

function parse(output) {
  const number = (pattern) => Number(pattern.exec(output)?.[1] ?? NaN)
  const violated = /assertion violated (\w+)/.exec(output)?.[1]
  return {
    states: number(/(\d+) states, stored/),
    depth: number(/depth reached (\d+)/),
    // "errors: 0" alone would do for a search that was cut short.
    isComplete:
      number(/errors: (\d+)/) === 0 && !/max search depth too small|Search not completed|out of memory/.test(output),
    failed:
      violated ??
      (/^pan:.*invalid end state/m.test(output) ? DEADLOCK : /^pan:.*cycle/m.test(output) ? CYCLE : undefined),
  }
}

function line(name, { states, depth }, result) {
  console.log(`${name.padEnd(32)} ${states.toLocaleString('en').padStart(12)} ${String(depth).padStart(6)}  ${result}`)
}

async function checkScenario({ name, about }, cycles) {
  const found = await check({ scenario: name, cycles })
  const holds = found.isComplete && !found.failed
  line(name, found, holds ? `holds: ${about}` : `FAILS: ${found.failed ?? 'the search was not completed'}`)
  if (!holds) console.log(found.output)
  return holds
}

async function checkMutant({ name, scenario, fails }) {
  const isObservableOnly = [READ, WRITE, DEADLOCK, CYCLE].includes(fails)
  const found = await check({ scenario, mutant: name, isObservableOnly, cycles: fails === CYCLE })
  const isCaught = found.failed === fails
  const result = isCaught ? 'caught' : 'SURVIVES'
  line(
    name,
    found,
    `${result}: ${found.failed ?? 'no property fails'}${isCaught ? '' : `, not ${fails}`} (${scenario})`,
  )
  return isCaught
}

async function main(parameters) {
  for (const tool of ['spin', 'gcc']) {
    if (spawnSync(tool, [tool === 'spin' ? '-V' : '--version'], { stdio: 'ignore' }).status !== 0) {
      console.error(
        `${tool} is not installed; the model was not checked. On Debian and Ubuntu: apt-get install spin gcc`,
      )
      return false
    }
  }
  const isQuick = parameters.includes('--quick')
  const names = parameters.filter((parameter) => parameter !== '--quick')
  const isChosen = ({ name, isLong }) => (names.length > 0 ? names.includes(name) : !(isQuick && isLong))
  const checks = [
    ...scenarios.filter(isChosen).map((scenario) => () => checkScenario(scenario, !isQuick)),
    ...mutants.filter(isChosen).map((mutant) => () => checkMutant(mutant)),
  ]
  if (checks.length === 0) throw new Error(`no scenario or mutant is called ${names.join(' or ')}`)
  console.log(`${'model'.padEnd(32)} ${'states'.padStart(12)} ${'depth'.padStart(6)}  result`)
  const total = checks.length
  let passed = 0
  const work = async () => {
    for (let next = checks.shift(); next; next = checks.shift()) if (await next()) passed++
  }
  await Promise.all(Array.from({ length: JOBS }, work))
  console.log(`${passed} of ${total} as they should be`)
  return passed === total
}

process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1
