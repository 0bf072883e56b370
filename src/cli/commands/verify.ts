import type { Inspection } from '../../inspect/index.js'
import { FINE, PROBLEMS, SOURCE_OPTIONS, type Command } from '../command.js'
import { openToLook } from '../open.js'
import { harmless } from '../output.js'

/**
 * Looks in all: a write under way may look like a fault, but not like the same one so often. A thread that writes one
 * key again and again has few blocks for it, and each look has about an even chance to find one in the wrong place.
 */
const LOOKS = 16
const PAUSE_MS = 50
const sleeper = new Int32Array(new SharedArrayBuffer(4))

export const verify: Command = {
  name: 'verify',
  operands: ['FILE'],
  summary: 'checks every structural invariant of a map file, also while others write',
  options: SOURCE_OPTIONS,
  run(given, output) {
    using seen = openToLook(given)
    const problems = problemsOf(seen)
    if (output.isJson) output.json({ ok: problems.length === 0, problems })
    else if (problems.length === 0) output.line(output.green('sound'))
    else for (const problem of problems) output.line(output.red(harmless(problem)))
    return problems.length === 0 ? FINE : PROBLEMS
  },
}

/** Returns the problems that every look finds. Of bytes that nobody writes one look is enough. */
export function problemsOf(seen: Inspection): readonly string[] {
  let { problems } = seen.verify()
  for (let look = 1; look < LOOKS && problems.length > 0 && seen.isLive && seen.threads().length > 0; look++) {
    Atomics.wait(sleeper, 0, 0, PAUSE_MS)
    const again = new Set(seen.verify().problems)
    problems = problems.filter((problem) => again.has(problem))
  }
  return problems
}
