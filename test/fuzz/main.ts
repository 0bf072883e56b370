/**
 * Runs rounds of the fuzzers by turns until time is up. Started by scripts/fuzz.js.
 *
 *   node --import tsx test/fuzz/main.ts SECONDS SEED [FIRST_ROUND]
 *
 * A round depends only on the seed and its number. Prints the number of the next round about once a second, so that
 * whoever watches can tell where it hangs.
 */
import { Random } from '../support/random.js'
import { runCodecRound } from './codec-round.js'
import { runEngineRound } from './engine-round.js'
import { runInspectRound } from './inspect-round.js'
import { runMapRound } from './map-round.js'

const [seconds, seed, first] = process.argv.slice(2).map(Number)
const end = performance.now() + seconds * 1000

let told = 0
let round = first || 0
for (; performance.now() < end; round++) {
  if (performance.now() - told > 1000) {
    told = performance.now()
    console.log(`round ${round}`)
  }
  try {
    runRound(new Random(seed).fork(round), round)
  } catch (error) {
    console.error(error)
    console.error(`finding: seed ${seed}, round ${round}`)
    process.exit(1)
  }
}
console.log(`rounds ${round - (first || 0)}`)

function runRound(random: Random, number: number): void {
  const kinds = [runEngineRound, runMapRound, runCodecRound, runInspectRound]
  kinds[number % kinds.length](random)
}
