// Adds up the reports that scripts/test.js left in test-results/, in one line: "N passed, N failed, N skipped". Before it,
// names each test that failed or never ended, since the output of a long run hides them.
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './tools.js'

const results = join(root, 'test-results')
const sum = { passed: 0, failed: 0, skipped: 0 }

function addCtest(report) {
  const [, tests, failures, disabled, skipped] = /tests="(\d+)"\s+failures="(\d+)"\s+disabled="(\d+)"\s+skipped="(\d+)"/
    .exec(report)
    .map(Number)
  for (const [, name] of report.matchAll(/<testcase name="([^"]+)"[^>]* status="fail"/g)) console.log(`failed: ${name}`)
  sum.failed += failures
  sum.skipped += disabled + skipped
  sum.passed += tests - failures - disabled - skipped
}

function addVitest({ testResults }) {
  for (const { name, status, assertionResults } of testResults) {
    const file = relative(root, name)
    // A file that could not even be loaded has no tests; it counts as one that failed.
    const tests =
      status === 'failed' && assertionResults.length === 0 ? [{ status, fullName: 'is not loaded' }] : assertionResults
    for (const { status, fullName } of tests) {
      if (status === 'passed') sum.passed++
      else if (status === 'skipped' || status === 'todo') sum.skipped++
      else {
        sum.failed++
        // A test whose process ended before it has no outcome.
        console.log(`${status === 'failed' ? 'failed' : 'never ended'}: ${file} > ${fullName}`)
      }
    }
  }
}

for (const name of readdirSync(results)) {
  const report = readFileSync(join(results, name), 'utf8')
  if (name.startsWith('ctest')) addCtest(report)
  else addVitest(JSON.parse(report))
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
