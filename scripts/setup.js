// Builds whatever is missing or older than its sources: the native engine, dist/, and the demo, examples and benchmarks.
import { bin, isStale, must } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
if (isStale('dist/index.js', 'src', 'tsdown.config.ts', 'package.json')) must(bin('tsdown'), ['--logLevel', 'warn'])
if (isStale('out/programs/tsconfig.programs.tsbuildinfo', 'demo', 'examples', 'bench', 'tsconfig.json')) {
  must(bin('tsc'), ['-p', 'tsconfig.programs.json'])
}
