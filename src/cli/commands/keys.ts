import { numberOption, SOURCE_OPTIONS, type Command } from '../command.js'
import { ENTRY_OPTIONS, jsonOf, walk } from '../entries.js'
import { openToLook } from '../open.js'
import { showKey, showTime } from '../output.js'

export const keys: Command = {
  name: 'keys',
  operands: ['FILE'],
  summary: 'lists keys, in no particular order',
  options: {
    ...ENTRY_OPTIONS,
    long: { type: 'boolean', short: 'l', help: 'with kind, bytes, version and expiry of each' },
    limit: { type: 'string', short: 'n', value: 'COUNT', help: 'no more than so many' },
    ...SOURCE_OPTIONS,
  },
  run(given, output) {
    let left = numberOption(given, 'limit', 0, Infinity)
    using seen = openToLook(given)
    const { entries, end } = walk(seen, given)
    if (left > 0) {
      for (const entry of entries) {
        const { key, kind, bytes, version, expiresAt, state } = entry
        if (output.isJson) output.json(jsonOf(entry))
        else if (given.options.long !== true) output.line(showKey(key))
        else {
          const about = `${kind.padEnd(9)}  ${String(bytes).padStart(9)} B  ${String(version).padStart(8)}`
          output.line(`${about}  ${showTime(expiresAt).padEnd(24)}  ${state.padEnd(7)}  ${showKey(key)}`)
        }
        if (--left <= 0) break
      }
    }
    return end()
  },
}
