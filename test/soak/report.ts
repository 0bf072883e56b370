import { TALLY_BEGUN, TALLY_BULK, TALLY_ENDED, TALLY_FAILED, TALLY_FORCED } from './ledger.js'
import { KINDS } from './plan.js'
import type { Soak } from './soak.js'

/** The table of a soak: operations by kind, with the longest call of each, faults, memory, violations. */
export function report(soak: Soak, title: string): string {
  const { ledger, faults, trends, violations } = soak
  const lines = ['', `${title.padEnd(34)}operations  longest call, ms`]
  for (const kind of KINDS) {
    const count = ledger.operationsOf(kind).toLocaleString('en-US')
    lines.push(`  ${kind.padEnd(14)}${count.padStart(28)}  ${ledger.longestOf(kind).toFixed(1).padStart(16)}`)
  }
  const timeouts = ledger.timeouts.reduce((sum, one) => sum + one, 0)
  const injected = [...faults].map(([fault, count]) => `${fault} ${count}`)
  lines.push(`  faults: ${injected.join(', ')}; calls that timed out: ${timeouts}`)
  const loaders = (what: number): string => ledger.talliesOf(what).toLocaleString('en-US')
  const killed = ledger.talliesOf(TALLY_BEGUN) - ledger.talliesOf(TALLY_ENDED)
  lines.push(
    `  loaders: ${loaders(TALLY_BEGUN)}, of which ${killed.toLocaleString('en-US')} were killed, ${loaders(TALLY_FAILED)} failed, ` +
      `${loaders(TALLY_FORCED)} were forced, ${loaders(TALLY_BULK)} were in bulk`,
  )
  lines.push(
    `  audits: ${soak.audits}; bytes that ended members left behind: ${soak.bytesLeaked.toLocaleString('en-US')}`,
  )
  for (const { name, last, growth, samples } of trends) {
    const grown = samples.length < 9 ? 'too few samples for a trend' : `growth ${growth.toLocaleString('en-US')}`
    lines.push(`  ${name}: ${last.toLocaleString('en-US')} (${grown})`)
  }
  lines.push(`  violations: ${violations.length}`)
  return lines.join('\n')
}
