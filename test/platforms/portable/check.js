// A few lines of test runner, for platforms and runtimes that the project's own does not run on: checks in order, each
// with a name, and a count at the end.
import assert from 'node:assert/strict'

const checks = []

/** @param {() => unknown} body may return a promise */
export function check(name, body) {
  checks.push({ name, body })
}

/** Runs all checks, prints those that fail, and ends the process with the count as its last line. */
export async function runChecks() {
  let failed = 0
  for (const { name, body } of checks) {
    try {
      await body()
    } catch (error) {
      failed++
      console.log(`failed: ${name}\n${error?.stack ?? error}`)
    }
  }
  console.log(`${checks.length - failed} passed, ${failed} failed`)
  process.exit(failed === 0 ? 0 : 1)
}

export { assert }
