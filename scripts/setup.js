// Builds what is missing or older than its sources: the native engine and dist/; with --programs also the demo, the examples
// and the benchmarks, which then are in out/programs.
import { bin, isStale, must } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
if (isStale('dist/index.js', 'src', 'tsdown.config.ts', 'package.json')) must(bin('tsdown'), ['--logLevel', 'error'])
if (process.argv.includes('--programs')) must(bin('tsc'), ['-p', 'tsconfig.programs.json'])
