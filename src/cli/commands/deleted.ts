import { numberOption, SOURCE_OPTIONS, type Command } from '../command.js'
import { ENTRY_OPTIONS, jsonOf, walk } from '../entries.js'
import { openToLook } from '../open.js'
import { showKey, showValue } from '../output.js'

const { prefix, match } = ENTRY_OPTIONS

export const deleted: Command = {
  name: 'deleted',
  operands: ['FILE'],
  summary: 'lists what was deleted and is not cleaned up yet: the trail of deletions',
  options: {
    prefix,
    match,
    long: { type: 'boolean', short: 'l', help: 'with the last version, and the value if it is still whole' },
    limit: { type: 'string', short: 'n', value: 'COUNT', help: 'no more than so many' },
    ...SOURCE_OPTIONS,
  },
  run(given, output) {
    let left = numberOption(given, 'limit', 0, Infinity)
    using seen = openToLook(given)
    const { entries, end } = walk(seen, given, { deleted: true, values: given.options.long === true })
    let count = 0
    for (const entry of entries) {
      if (entry.state !== 'deleted') continue
      if (left-- <= 0) break
      count++
      const isBack = seen.find(entry.key)?.state === 'live'
      if (output.isJson) {
        output.json({ ...jsonOf(entry), again: isBack })
        continue
      }
      const value = 'value' in entry ? `  version ${entry.version}, ${showValue(entry.value, 100)}` : ''
      output.line(`${showKey(entry.key)}${isBack ? ' (there again)' : ''}${value}`)
    }
    if (!output.isJson && count === 0) output.line('No deleted entry is left.')
    return end()
  },
}
