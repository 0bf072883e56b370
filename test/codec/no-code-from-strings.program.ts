/** Encodes and decodes values where code generation from strings is forbidden. Prints how many came back equal. */
import { inspect } from 'node:util'
import { ValueCodecs } from '../../src/codec/value.js'
import { GeneratedValues } from '../support/generated-values.js'
import { ShapesInMemory } from '../support/shape-table.js'

function isForbidden(): boolean {
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the question
    new Function('return 1')
    return false
  } catch {
    return true
  }
}

const table = new ShapesInMemory()
const codecs = [new ValueCodecs(true, () => table), new ValueCodecs(false, () => table)]
const values = new GeneratedValues(Number(process.argv[2]))
const whole = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity }

let count = 0
for (let i = 0; i < 2000; i++) {
  const value = values.next()
  const encoder = codecs[0].encode(value)
  const copies = codecs.map((each) => inspect(each.decodeEncoded(encoder, value), whole))
  const expected = inspect(structuredClone(value), whole)
  if (copies.every((copy) => copy === expected)) count++
}
console.log(`${isForbidden() ? 'forbidden' : 'allowed'}, ${count} values`)
