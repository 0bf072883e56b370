/**
 * Runs rounds of the fuzzer of values until time is up. Started by scripts/fuzz.js and by a test, with a limit on the
 * memory: a process that ends for lack of it is a finding.
 *
 *   node --max-old-space-size=128 --import tsx test/fuzz/values-main.ts SECONDS SEED [FIRST_ROUND [ROUNDS]]
 *
 * A round depends only on the seed and its number. Prints the number of the next round about once a second.
 */
import { Random } from '../support/random.js'
import { runValueRound } from './value-round.js'

const MAX_RESIDENT_BYTES = 2 ** 29

const [seconds, seed, first = 0, rounds = Infinity] = process.argv.slice(2).map(Number)
const end = performance.now() + seconds * 1000

let told = 0
let round = first
for (; performance.now() < end && round < first + rounds; round++) {
  if (performance.now() - told > 1000) {
    told = performance.now()
    console.log(`round ${round}`)
    if (process.memoryUsage.rss() > MAX_RESIDENT_BYTES) fail(new Error('the process has grown beyond 512 MiB'))
  }
  try {
    runValueRound(new Random(seed).fork(round))
  } catch (error) {
    fail(error)
  }
}
console.log(`rounds ${round - first}`)

function fail(error: unknown): never {
  console.error(error)
  console.error(`finding: seed ${seed}, round ${round}`)
  process.exit(1)
}
