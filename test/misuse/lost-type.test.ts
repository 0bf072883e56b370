import { expect, test } from 'vitest'
import { describeEachLineup } from '../support/subject.js'

// A counter that a write has given another type: the message says what is there now.

const others: [string, unknown, string][] = [
  ['a text of digits', '5', 'holds the string "5"'],
  ['a text', 'five', 'holds the string "five"'],
  ['an object', { count: 5 }, 'holds an object'],
  ['a fraction', 1.5, 'holds the number 1.5'],
  ['NaN', NaN, 'holds the number NaN'],
  ['a bigint', 5n, 'holds the bigint 5n'],
  ['null', null, 'holds null'],
  ['undefined', undefined, 'holds undefined'],
  ['a number above the safe integers', 2 ** 53, 'holds the number 9007199254740992'],
]

describeEachLineup((subject) => {
  test.each(others)('%s', (_name, value, told) => {
    subject().map.increment('hits')
    subject().map.set('hits', value)
    const error = subject().expectRefused('ERR_MAPSAFE_COUNTER', (map) => map.increment('hits'))
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toMatch(/^Key "hits" /)
    expect(error.message).toContain(told)
    expect(error.message).toMatch(/expected a safe integer.*A write gave the counter another type/)
    for (const map of subject().maps) expect(() => map.incrementEntry('hits')).toThrow(told)
  })

  test('the key may be bytes', () => {
    subject().map.set(Uint8Array.of(1, 2), 'x')
    expect(() => subject().map.increment(Uint8Array.of(1, 2))).toThrow('holds the string "x"')
  })
})
