// A mixed load on everything, from threads of several processes on files, while processes are killed and stopped and
// threads terminated: `npm run soak -- --minutes 20 --seed 7`. Ends with status 1 if a promise was not kept.
import { parseArgs } from 'node:util'
import { lineups, seed as freshSeed } from '../support/run.js'
import { report } from './report.js'
import { Soak } from './soak.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string', default: `${freshSeed}` } },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  console.error(
    `soak: --minutes is '${values.minutes}' and --seed is '${values.seed}'; expected a number above 0, which all lineups of ` +
      'engines share, and an integer',
  )
  process.exit(1)
}
console.log(`seed ${seed}: repeats the choices of this run, though not the schedule of its threads`)
let violated = 0
for (const lineup of lineups) {
  using soak = new Soak({
    ...{ lineup, seed, processes: 3, threads: 2, faultSeconds: 3, auditSeconds: 10 },
    seconds: (minutes * 60) / lineups.length,
  })
  const began = performance.now()
  const title = (): string => `${lineup.name}, ${((performance.now() - began) / 1000).toFixed(0)} s`
  const timer = setInterval(() => console.log(report(soak, title())), 60_000)
  try {
    await soak.run()
  } finally {
    clearInterval(timer)
    console.log(report(soak, `${title()}, at the end`))
    for (const violation of soak.violations.slice(0, 20)) console.log(`    ${violation}`)
    if (soak.violations.length > 0) console.log(['    last events:', ...soak.events].join('\n      '))
  }
  violated += soak.violations.length
}
process.exitCode = violated > 0 ? 1 : 0
