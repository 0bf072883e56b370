// The tests whose size can grow, twenty times as large as in `npm test`: the model test runs 1,200 sequences for each
// lineup of engines. Those with crews of workers run once more with processes that share a file. MAPSAFE_SCALE chooses
// another size. Arguments go to vitest.
import { bin, must, run } from './tools.js'

must(process.execPath, ['scripts/setup.js'])
const crews = ['test/concurrency', 'test/linearizability']
const suites = [
  ...crews,
  'test/conformance/model.test.ts',
  'test/near-cache',
  'test/engine',
  'test/process',
  'test/exhaustion',
  'test/soak',
]
// Covers test/process/across.test.ts at full size.
const exclude = ['--exclude', 'test/process/across.test.ts']
const selection = process.argv.slice(2)
const environment = { MAPSAFE_SCALE: process.env.MAPSAFE_SCALE ?? '20' }

function vitest(tests, variables) {
  return run(bin('vitest'), ['run', ...tests], { ...environment, ...variables }) === 0
}

let passed = vitest(selection.length > 0 ? selection : [...suites, ...exclude], {})
if (selection.length === 0) passed = vitest(crews, { MAPSAFE_CREW: 'processes' }) && passed
process.exit(passed ? 0 : 1)
