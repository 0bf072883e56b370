// Everything at once, for as long as asked, while processes are killed and stopped: operations, faults, longest calls,
// memory, violations. `--minutes N` is how long it takes in all (default 3), `--seed S` repeats the choices of a run.
import { must, run } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
process.exit(run(process.execPath, ['--import', 'tsx', 'test/soak/index.ts', ...process.argv.slice(2)]))
