// Iterations, shared scans and snapshots under constant writing, for as long as asked:
// `npm run stress -- --seconds 60`. The same tasks and checks as the tests of test/concurrency, on larger maps. Ends
// with status 1 if a promise was not kept.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ConcurrentMap } from '../../src/index.js'
import type * as iteration from '../concurrency/iteration.tasks.js'
import type * as scan from '../concurrency/scan.tasks.js'
import { OrderCheck } from '../concurrency/snapshot.checks.js'
import type * as snapshot from '../concurrency/snapshot.tasks.js'
import { Crew } from '../support/crew.js'
import { lineups, type Lineup } from '../support/run.js'
import { changes, costs } from './changes.js'

const WRITERS = 4
const LASTING = 20_000
const PASSING = 10_000
const FILLERS = 20_000
const SCANNED = 40_000

/** What one kind of stress came to with one lineup of engines. */
interface Figures {
  /** In the map at the most, about. */
  readonly keys: number
  readonly writers: number
  /** Iterations, scans or snapshots. */
  readonly times: number
  readonly violations: readonly string[]
}
type Stress = (lineup: Lineup, seconds: number) => Promise<Figures>

const concurrency = (name: string): URL => new URL(`../concurrency/${name}.tasks.ts`, import.meta.url)

/** Every lasting key exactly once, no key twice, none after its deletion was seen. */
const iterations: Stress = async (lineup, seconds) => {
  const crew = new Crew<typeof iteration>(concurrency('iteration'), WRITERS + 1)
  const scene = { lasting: LASTING, passing: PASSING, keyLength: 0, passes: 6 }
  const violations: string[] = []
  let times = 0
  for (const end = performance.now() + seconds * 1000; performance.now() < end; times += scene.passes) {
    using map = new ConcurrentMap<number | string, number>({ engine: lineup.engineOf(0) })
    for (let key = 0; key < LASTING; key++) map.set(key, key)
    const run = { lineup, handle: map.handle }
    const faults = await crew.run(run, 'iterateWhileOthersWrite', new SharedArrayBuffer(4), scene)
    violations.push(...faults.flat(), ...map.verify().problems)
  }
  await crew.dismiss()
  return { keys: LASTING + WRITERS * PASSING, writers: WRITERS, times, violations }
}

/** Every lasting key once between four workers that each scan a part, and write between two steps. */
const scans: Stress = async (lineup, seconds) => {
  const crew = new Crew<typeof scan>(concurrency('scan'), WRITERS)
  const violations: string[] = []
  let times = 0
  for (const end = performance.now() + seconds * 1000; performance.now() < end; times++) {
    using map = new ConcurrentMap<number | string, number>({ engine: lineup.engineOf(0) })
    for (let key = 0; key < SCANNED; key++) map.set(key, key)
    const met = (await crew.run({ lineup, handle: map.handle }, 'scanPart', 100, 100)).flat() as number[]
    const distinct = new Set(met).size
    if (distinct < SCANNED) violations.push(`${SCANNED - distinct} lasting keys were not met`)
    if (met.length > distinct) violations.push(`${met.length - distinct} lasting keys were met again`)
    violations.push(...map.verify().problems)
  }
  await crew.dismiss()
  return { keys: SCANNED, writers: WRITERS, times, violations }
}

/** With what a thread wrote a snapshot has all that it wrote before, and it lies between its call and its return. */
const snapshots: Stress = async (lineup, seconds) => {
  const crew = new Crew<typeof snapshot>(concurrency('snapshot'), WRITERS)
  using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0), nearCache: false })
  const check = new OrderCheck(map, WRITERS)
  const violations: string[] = []
  let times = 0
  const run = crew.run({ lineup, handle: map.handle }, 'writeInOrder', FILLERS)
  while (map.get('started') !== WRITERS) await sleep(1)
  for (const end = performance.now() + seconds * 1000; performance.now() < end; times++) {
    violations.push(...check.look())
    await sleep(1)
  }
  map.set('stop', 1)
  await run
  violations.push(...map.verify().problems)
  await crew.dismiss()
  return { keys: map.size, writers: WRITERS, times, violations }
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, only: { type: 'string' } } })
const seconds = Number(values.seconds)
if (!(seconds > 0)) {
  console.error(`stress: --seconds is '${values.seconds}'; expected a number above 0: how long each line takes`)
  process.exit(1)
}
const all = { iterations, scans, snapshots }
const names = [...Object.keys(all), 'changes', 'costs']
if (values.only !== undefined && !names.includes(values.only)) {
  console.error(`stress: --only is '${values.only}'; expected one of ${names.join(', ')}`)
  process.exit(1)
}
const isChosen = (name: string): boolean => values.only === undefined || values.only === name
let violated = 0
const tables = Object.entries(all).filter(([what]) => isChosen(what))
if (tables.length > 0) console.log('what        engines      keys    writers  seconds  times   violations')
for (const [what, stress] of tables) {
  for (const lineup of lineups) {
    const began = performance.now()
    const { keys, writers, times, violations } = await stress(lineup, seconds)
    const spent = ((performance.now() - began) / 1000).toFixed(0)
    const cells = [
      what.padEnd(10),
      lineup.name.padEnd(11),
      ...[keys, writers, spent, times].map((n) => `${n}`.padEnd(7)),
    ]
    console.log([...cells, violations.length].join('  '))
    for (const violation of violations.slice(0, 10)) console.log(`    ${violation}`)
    violated += violations.length
  }
}
if (isChosen('changes')) {
  const kind = process.env.MAPSAFE_CREW ?? 'threads'
  for (const lineup of lineups) violated += await changes(lineup, kind, seconds)
}
if (isChosen('costs')) for (const engine of ['native', 'typescript'] as const) costs(engine)
process.exitCode = violated > 0 ? 1 : 0
