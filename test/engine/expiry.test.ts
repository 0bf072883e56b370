import { describe, expect, test, vi, type MockInstance } from 'vitest'
import {
  ABSENT,
  DONE,
  FOUND,
  NOT_DONE,
  PUT_ALWAYS,
  PUT_IF_PRESENT,
  PUT_IF_VERSION,
  RESULT_HOME,
  RESULT_PREVIOUS,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  RETURN_PREVIOUS,
  type Engine,
} from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import {
  BLOCK_WORDS,
  HEADER_CLOCK_ADVANCE,
  MIN_REGION_BYTES,
  SLOTS_PER_BUCKET,
  VALUE_NUMBER,
} from '../../src/format/layout.js'
import type { Core } from '../../src/engine/typescript/core.js'
import { lineups } from '../support/run.js'

const MINUTE = 60_000
type Swap = (array: Int32Array, index: number, expected: number, replacement: number) => number
const genuineSwap = Atomics.compareExchange as Swap

/** A cache's region, whose time can be moved on. */
class Place {
  readonly region = new SharedArrayBuffer(MIN_REGION_BYTES)

  constructor() {
    formatRegion(this.region, { ttl: undefined, maxEntries: undefined })
  }

  pass(milliseconds: number): void {
    new Float64Array(this.region)[HEADER_CLOCK_ADVANCE / 2] += milliseconds
  }
}

const versionOf = ({ result }: Engine): number =>
  (result[RESULT_VERSION_LOW] >>> 0) + result[RESULT_VERSION_HIGH] * 2 ** 32

function isThere(engine: Engine): boolean {
  engine.peek('key')
  return engine.result[RESULT_STATUS] === FOUND
}

// The C++ engine's is in native/test/death_test.cc.
describe('no write renews an entry that a reader saw expired before the home was held', () => {
  const writes: Record<string, (writer: Engine, version: number, later: number) => unknown> = {
    'by version'(writer, version, later) {
      writer.put('key', VALUE_NUMBER, 2, PUT_IF_VERSION, version, later)
      return writer.result[RESULT_STATUS]
    },
    'if present'(writer, _, later) {
      writer.put('key', VALUE_NUMBER, 2, PUT_IF_PRESENT, 0, later)
      return writer.result[RESULT_STATUS]
    },
    'that returns the previous value'(writer, _, later) {
      writer.put('key', VALUE_NUMBER, 2, PUT_ALWAYS | RETURN_PREVIOUS, 0, later)
      expect(writer.result[RESULT_STATUS]).toBe(DONE)
      return writer.result[RESULT_PREVIOUS] === FOUND ? DONE : NOT_DONE
    },
    'that counts on'(writer, _, later) {
      return writer.increment('key', 5, later) === 6 ? DONE : NOT_DONE
    },
  }

  test.each(Object.keys(writes))('%s', (name) => {
    const place = new Place()
    const writer = new TypescriptEngine(place.region)
    const reader = openEngine(place.region, 'typescript')
    const expiresAt = writer.now() + MINUTE
    writer.put('key', VALUE_NUMBER, 1, PUT_ALWAYS, 0, expiresAt)
    const version = versionOf(writer)

    // The last step before the home is held.
    const { thread } = (writer as unknown as { core: Core }).core
    let wasThere: boolean | undefined
    const claim = thread.claim.bind(thread)
    thread.claim = (block) => {
      if (wasThere === undefined) {
        place.pass(MINUTE)
        wasThere = isThere(reader)
      }
      claim(block)
    }
    const made = writes[name](writer, version, expiresAt + MINUTE)
    expect({ wasThere, made }).toEqual({ wasThere: false, made: NOT_DONE })
    expect(reader.verify()).toEqual([])
  })
})

test('no write that waits for a bucket beside the home renews what a reader saw expired meanwhile', () => {
  const place = new Place()
  const writer = new TypescriptEngine(place.region)
  const reader = openEngine(place.region, 'typescript')
  const homeOf = (key: string): number => {
    writer.peek(key)
    return writer.result[RESULT_HOME]
  }
  const home = homeOf('key')
  // Others fill the home, so that the key lies in the next bucket.
  for (let i = 0, count = 0; count < SLOTS_PER_BUCKET; i++) {
    if (homeOf(`other${i}`) !== home) continue
    writer.put(`other${i}`, VALUE_NUMBER, 1, PUT_ALWAYS)
    count++
  }
  const expiresAt = writer.now() + MINUTE
  writer.put('key', VALUE_NUMBER, 1, PUT_ALWAYS, 0, expiresAt)
  let wasThere: boolean | undefined
  const swap = vi.spyOn(Atomics, 'compareExchange') as unknown as MockInstance<Swap>
  swap.mockImplementation((...parameters) => {
    const isHeld = (writer.words[home * BLOCK_WORDS] & 1) !== 0
    if (isHeld && wasThere === undefined) {
      wasThere = true
      place.pass(MINUTE)
      wasThere = isThere(reader)
    }
    return genuineSwap(...parameters)
  })
  try {
    writer.put('key', VALUE_NUMBER, 2, PUT_IF_VERSION, versionOf(writer), expiresAt + MINUTE)
  } finally {
    swap.mockRestore()
  }
  expect({ wasThere, made: writer.result[RESULT_STATUS] }).toEqual({ wasThere: false, made: NOT_DONE })
  expect(reader.verify()).toEqual([])
})

describe.each(lineups)('a write that ends a hold ($name)', (lineup) => {
  test('renews nothing that has expired since it was read', () => {
    const place = new Place()
    const writer = openEngine(place.region, lineup.engineOf(0))
    const reader = openEngine(place.region, lineup.engineOf(1))
    writer.put('key', VALUE_NUMBER, 1, PUT_ALWAYS, 0, writer.now() + MINUTE)
    expect(writer.hold('key')).toBe(1)
    place.pass(MINUTE)
    // A reader that finds the holder at work looks again for a while, and then says what it sees.
    for (const look of [() => isThere(reader), () => reader.get('key') !== undefined]) {
      const start = performance.now()
      expect(look()).toBe(false)
      expect(performance.now() - start).toBeGreaterThan(5)
    }
    writer.putHeld('key', VALUE_NUMBER, 2, writer.now() + MINUTE)
    expect(writer.result[RESULT_STATUS]).toBe(NOT_DONE)
    expect(isThere(reader)).toBe(false)
    writer.hold('key')
    expect(writer.result[RESULT_STATUS]).toBe(ABSENT)
    writer.putHeld('key', VALUE_NUMBER, 3, writer.now() + MINUTE)
    expect(writer.result[RESULT_STATUS]).toBe(DONE)
    expect(reader.get('key')).toBe(3)
    expect(reader.verify()).toEqual([])
  })
})
