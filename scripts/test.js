// The whole test suite: builds what is missing, then the TypeScript tests, then the C++ tests under sanitizers (where
// cmake and GoogleTest are installed). Arguments go to vitest; with any, the C++ tests are left out. Reports go to
// test-results/.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bin, exists, must, root, run } from './tools.js'

const results = join(root, 'test-results')
const selection = process.argv.slice(2)

must(process.execPath, ['scripts/setup.js', '--programs'])
rmSync(results, { recursive: true, force: true })
mkdirSync(results)

const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${join(results, 'vitest.json')}`]
let failed = run(bin('vitest'), ['run', ...reporters, ...selection]) !== 0

if (selection.length === 0) {
  if (exists('cmake')) {
    for (const preset of ['asan', 'tsan']) {
      must('cmake', ['--preset', preset, '--log-level=WARNING'])
      must('cmake', ['--build', '--preset', preset, '--', '--quiet'])
      const report = join(results, `ctest-${preset}.xml`)
      failed = run('ctest', ['--preset', preset, '--quiet', '--output-junit', report]) !== 0 || failed
    }
  } else {
    console.warn(
      'cmake is not installed: the C++ tests were left out. On Debian and Ubuntu: apt-get install cmake libgtest-dev',
    )
  }
}
must(process.execPath, ['scripts/summary.js'])
process.exit(failed ? 1 : 0)
