// Iterations, scans and snapshots while four workers write: keys, writers, seconds, times, violations. `--seconds N` is
// how long each line takes (default 10); MAPSAFE_SEED repeats the choices of a run.
import { must, run } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
process.exit(run(process.execPath, ['--import', 'tsx', 'test/stress/index.ts', ...process.argv.slice(2)]))
