// Ends threads, processes and containers in the middle of writes, 2,000 of them or `--kills N`, and prints for every
// kind of end, or those that `--faults` names, what was lost (nothing) and for how long others waited. MAPSAFE_SEED
// repeats the choices of a run, MAPSAFE_ENGINES chooses the engines.
import { must, run } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
process.exit(run(process.execPath, ['--import', 'tsx', 'test/death/index.ts', ...process.argv.slice(2)]))
