import { FINE, PROBLEMS, SOURCE_OPTIONS, type Command } from '../command.js'
import { complain } from '../complain.js'
import { jsonOf } from '../entries.js'
import { KEY_OPTION, readKey } from '../keys.js'
import { openToLook } from '../open.js'
import { showKey, showTime, showValue } from '../output.js'

export const get: Command = {
  name: 'get',
  operands: ['FILE', 'KEY'],
  summary: 'prints the value of a key, in the JSON of dumps; exit code 1 if there is none',
  options: {
    ...KEY_OPTION,
    long: { type: 'boolean', short: 'l', help: 'with version, expiry and kind of the entry' },
    ...SOURCE_OPTIONS,
  },
  run(given, output) {
    const key = readKey(given.operands[1], given)
    using seen = openToLook(given)
    const entry = seen.find(key)
    if (entry?.state !== 'live') {
      const state = entry === undefined ? 'is not there' : entry.state === 'expired' ? 'has expired' : 'is being loaded'
      if (output.isJson) output.json({ found: false, ...(entry !== undefined && { state: entry.state }) })
      else complain(`The key ${showKey(key)} ${state}.`)
      return PROBLEMS
    }
    if (output.isJson) {
      output.json({ found: true, ...jsonOf(entry) })
      return FINE
    }
    output.line(showValue(entry.value))
    if (given.options.long === true) {
      const expiry = entry.slidingTtl === undefined ? '' : `, ${entry.slidingTtl} ms after each use`
      output.line(
        `${entry.kind} of ${entry.valueBytes} B, version ${entry.version}, expires ${showTime(entry.expiresAt)}${expiry}`,
      )
      for (const group of entry.groups) output.line(`in group ${group}`)
    }
    return FINE
  },
}
