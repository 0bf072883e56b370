import type { InspectedEntry } from '../../inspect/index.js'
import { numberOption, SOURCE_OPTIONS, type Command } from '../command.js'
import { ENTRY_OPTIONS, Greatest, jsonOf, walk } from '../entries.js'
import { openToLook } from '../open.js'
import { showKey } from '../output.js'

export const big: Command = {
  name: 'big',
  operands: ['FILE'],
  summary: 'lists the largest entries',
  options: {
    ...ENTRY_OPTIONS,
    limit: { type: 'string', short: 'n', value: 'COUNT', help: 'how many. Default: 20' },
    ...SOURCE_OPTIONS,
  },
  run(given, output) {
    const greatest = new Greatest<InspectedEntry>(numberOption(given, 'limit', 1, 20))
    using seen = openToLook(given)
    const { entries, end } = walk(seen, given)
    let [count, total] = [0, 0]
    for (const entry of entries) {
      greatest.add(entry.bytes, entry)
      count++
      total += entry.bytes
    }
    const code = end()
    if (output.isJson) {
      output.json({ entries: count, bytes: total, largest: greatest.items.map(jsonOf) })
      return code
    }
    output.table(
      ['bytes', 'of the value', 'kind', 'key'],
      greatest.items.map(({ bytes, valueBytes, kind, key }) => [bytes, valueBytes, kind, showKey(key)]),
    )
    output.line(`${count} entries have ${total} bytes together.`)
    return code
  },
}
