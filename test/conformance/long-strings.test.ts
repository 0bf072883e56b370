/** Strings that engines copy by other ways than short ones: as they are long, and of one or two bytes a unit. */
import { describe, expect, test } from 'vitest'
import { describeEachLineup } from '../support/subject.js'

/** Lengths at which a way begins or ends, and some around each. */
const LENGTHS = [63, 255, 256, 257, 318, 319, 320, 321, 511, 512, 513, 4096, 4099, 16_382, 16_383, 16_384, 70_001]

/** Text of one byte a unit that repeats after a prime number of units. */
const narrow = (length: number): string =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => 33 + (i % 211))).toString('latin1')

/** The same text with one unit replaced. */
const with_ = (text: string, at: number, unit: string): string => text.slice(0, at) + unit + text.slice(at + 1)

describe('long strings', () => {
  describeEachLineup(
    (subject) => {
      test.each(LENGTHS)('of %i units come back as they were, whatever way they are written', (length) => {
        const text = narrow(length)
        const texts = [
          text,
          with_(text, length - 1, '\xff'),
          ...[0, 1, length >> 1, length - 2, length - 1].flatMap((at) => [
            with_(text, at, '\u0100'),
            with_(text, at, '\ud800'),
          ]),
          `${text.slice(0, 40)}${text.slice(40)}`, // not flat
        ]
        for (const [i, each] of texts.entries()) {
          for (const map of subject().maps) {
            map.set('key', each)
            map.set(`longer key ${i}`, each) // which begins elsewhere in its entry
            map.setMany([['many', each]])
            map.swap('swapped', each)
            map.update('updated', () => each)
            for (const reader of subject().maps) {
              for (const key of ['key', `longer key ${i}`, 'many', 'swapped', 'updated']) {
                expect(reader.get(key) === each, `${key}, text ${i}`).toBe(true)
              }
              expect(reader.getMany(['key', 'many'])).toEqual([each, each])
            }
            expect(map.get('key')).toHaveLength(length)
          }
        }
      })
    },
    { nearCache: false },
  )
})
