// Builds what is missing or older than its sources: the native engine and dist/; with --programs also the demo, the
// examples and the benchmarks, which then are in out/programs.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bin, isStale, must, root } from './tools.js'

must(process.execPath, ['scripts/build-native.js'])
if (isStale('dist/index.js', 'src', 'tsdown.config.ts', 'package.json')) must(bin('tsdown'), ['--logLevel', 'error'])
if (process.argv.includes('--programs')) {
  const built = 'out/programs/built'
  if (isStale(built, 'demo', 'examples', 'bench', 'src', 'tsconfig.json', 'tsconfig.programs.json')) {
    must(bin('tsc'), ['-p', 'tsconfig.programs.json'])
    writeFileSync(join(root, built), '')
  }
}
