// Adds up the reports that scripts/test.js left in test-results/, in one line: "N passed, N failed, N skipped".
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './tools.js'

const results = join(root, 'test-results')
const sum = { passed: 0, failed: 0, skipped: 0 }

for (const name of readdirSync(results)) {
  const report = readFileSync(join(results, name), 'utf8')
  if (name.startsWith('ctest')) {
    const [, tests, failures, disabled, skipped] =
      /tests="(\d+)"\s+failures="(\d+)"\s+disabled="(\d+)"\s+skipped="(\d+)"/.exec(report).map(Number)
    sum.failed += failures
    sum.skipped += disabled + skipped
    sum.passed += tests - failures - disabled - skipped
  } else {
    const { numTotalTests, numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } =
      JSON.parse(report)
    // Tests whose process ended before them have no outcome; they count as failed, too.
    const unfinished = numTotalTests - numPassedTests - numFailedTests - numPendingTests - numTodoTests
    // A file that could not even be loaded has no tests; it counts as one that failed.
    const unloaded = testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && !assertionResults.length,
    )
    sum.passed += numPassedTests
    sum.failed += numFailedTests + unfinished + unloaded.length
    sum.skipped += numPendingTests + numTodoTests
  }
}
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
