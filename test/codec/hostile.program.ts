/** Decodes arrays and more that claim hundreds of megabytes. Ends with 0 if all are refused, or take next to nothing. */
import { ValueCodecs } from '../../src/codec/value.js'
import { VALUE_CLONE, VALUE_PLAIN } from '../../src/format/layout.js'

const decoder = new ValueCodecs(false)
const kept: unknown[] = []

function decode(kind: number, bytes: number[]): void {
  try {
    kept.push(decoder.decode(kind, Buffer.from(bytes), bytes.length))
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MAPSAFE_CORRUPT') throw error
  }
}

for (let i = 0; i < 100; i++) {
  for (const tag of [0x61, 0x41]) {
    decode(VALUE_CLONE, [0xff, 15, tag, 0xff, 0xff, 0xff, 0x0f])
    decode(VALUE_CLONE, [0xff, 15, tag, 0xff, 0xff, 0xff, 0x0f, tag === 0x61 ? 0x40 : 0x24, 0, 0xff, 0xff, 0xff, 0x0f])
  }
  for (const tag of [0x9b, 0x9f, 0xa0, 0x99, 0x9a, 0xa1, 0xa2]) decode(VALUE_PLAIN, [tag, 0xff, 0xff, 0xff, 0xff, 0x0f])
  decode(VALUE_PLAIN, [
    ...new Array<number[]>(400).fill([0x9b, 0xff, 0xff, 0x03]).flat(),
    ...new Array<number>(70_000).fill(0x91),
  ])
}
