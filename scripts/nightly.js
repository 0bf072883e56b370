// The tests whose size can grow, twenty times as large as in `npm test`: the model test runs 1,200 sequences for each lineup
// of engines. MAPSAFE_SCALE chooses another size. Arguments go to vitest.
import { bin, must, run } from './tools.js'

must(process.execPath, ['scripts/setup.js'])
const suites = [
  'test/conformance/model.test.ts',
  'test/concurrency',
  'test/linearizability',
  'test/near-cache',
  'test/engine',
]
const selection = process.argv.slice(2)
const scale = process.env.MAPSAFE_SCALE ?? '20'
const arguments_ = ['run', '--testTimeout=1800000', ...(selection.length > 0 ? selection : suites)]
process.exit(run(bin('vitest'), arguments_, { MAPSAFE_SCALE: scale }))
