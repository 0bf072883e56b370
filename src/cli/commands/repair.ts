import { FINE, PROBLEMS, type Command } from '../command.js'
import { openToUse } from '../open.js'
import { harmless } from '../output.js'

export const repair: Command = {
  name: 'repair',
  operands: ['FILE'],
  summary: 'puts right what threads left that ended in the middle of something; takes part in the map',
  options: { trust: { type: 'boolean', help: 'open a file that other users own or may write to' } },
  run(given, output) {
    using map = openToUse(given)
    const report = map.repair()
    const { ok, problems } = map.verify()
    if (output.isJson) output.json({ ok, ...report, problems })
    else {
      for (const [name, value] of Object.entries(report) as [string, unknown][]) {
        output.line(`${name.padEnd(20)}${String(value)}`)
      }
      for (const problem of problems) output.line(output.red(harmless(problem)))
      if (ok) output.line(output.green('sound'))
    }
    return ok ? FINE : PROBLEMS
  },
}
