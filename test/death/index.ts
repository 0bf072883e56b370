// Sudden deaths by the thousand: `npm run test:kills -- --kills 2000 --faults container`. The same trials as those of death.test.ts.
// Prints what was injected, how often, what was lost and for how long others waited; ends with status 1 if anything was
// lost.
import { parseArgs } from 'node:util'
import { lineups, seed } from '../support/run.js'
import { faults as possible, tryDeaths } from './trial.js'

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '2000' }, faults: { type: 'string', default: possible.join() } },
})
const kills = Number(values.kills)
if (!(kills >= 1)) {
  console.error(
    `test:kills: --kills is '${values.kills}'; expected a number from 1: how many threads and processes die in all`,
  )
  process.exit(1)
}
const faults = possible.filter((fault) => values.faults.split(',').includes(fault))
if (faults.length === 0) {
  console.error(`test:kills: --faults is '${values.faults}'; expected one or several of ${possible.join()}`)
  process.exit(1)
}
const each = Math.ceil(kills / (faults.length * lineups.length))

console.log(`MAPSAFE_SEED=${seed}`)
console.log(
  'fault                 engines     kills  lost  unsound  stall, ms: median  nine in ten  longest  leaks found, bytes',
)
let failures = 0
for (const fault of faults) {
  for (const lineup of lineups) {
    const { kills: died, losses, problems, stalls, repair } = await tryDeaths(fault, lineup, each)
    const stall = (share: number): string => stalls[Math.floor((stalls.length - 1) * share)].toFixed(1)
    console.log(
      [
        fault.padEnd(20),
        lineup.name.padEnd(10),
        ...[`${died}`.padStart(5), `${losses.length}`.padStart(4), `${problems.length}`.padStart(7)],
        ...[stall(0.5).padStart(17), stall(0.9).padStart(11), stall(1).padStart(7)],
        `${repair.bytesFreed}`.padStart(18),
      ].join('  '),
    )
    for (const line of [...losses, ...problems].slice(0, 10)) console.log(`    ${line}`)
    failures += losses.length + problems.length
  }
}
process.exitCode = failures > 0 ? 1 : 0
