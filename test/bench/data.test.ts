import { describe, expect, test } from 'vitest'
import {
  expectedMark,
  isValueOf,
  keyOf,
  lastingKeys,
  markOf,
  missingKeyOf,
  VALUE_NAMES,
  valueOf,
  type ValueKind,
} from '../../bench/harness/data.js'
import { drawKeys, randomNumbers } from '../../bench/harness/draws.js'
import { mixNames, writePattern } from '../../bench/harness/mix.js'

const kinds = Object.keys(VALUE_NAMES) as ValueKind[]

test('keys are 20 characters and distinct', () => {
  const keys = [0, 1, 9_999_999].flatMap((n) => [keyOf(n), missingKeyOf(n)])
  for (const key of keys) expect(key).toHaveLength(20)
  expect(new Set(keys).size).toBe(keys.length)
  expect(lastingKeys(3)).toEqual([keyOf(0), keyOf(1), keyOf(2)])
})

describe.each(kinds)('values of kind %s', (kind) => {
  const mark = markOf(kind)

  test('tell their key, whatever the generation', () => {
    for (const n of [0, 1, 63, 64, 4095, 4096, 123_456]) {
      for (const generation of [0, 1, 25]) {
        const value = valueOf(kind, n, generation)
        expect(mark(value)).toBe(expectedMark(n))
        expect(isValueOf(kind, n, value)).toBe(true)
        expect(isValueOf(kind, n + 1, value)).toBe(false)
      }
    }
  })

  test('of another generation differ', () => expect(valueOf(kind, 5, 0)).not.toEqual(valueOf(kind, 5, 1)))
})

test('a damaged string is noticed: cut short by its mark, torn by the comparison', () => {
  const value = valueOf('string', 7, 0) as string
  expect(value).toHaveLength(100)
  expect(markOf('string')(value.slice(0, -1))).not.toBe(expectedMark(7))
  expect(markOf('string')('')).not.toBe(expectedMark(7))
  expect(isValueOf('string', 7, value.slice(0, 50) + (valueOf('string', 7, 1) as string).slice(50))).toBe(false)
})

describe('draws', () => {
  test('follow from the seed, stay in range and prefer some keys', () => {
    const draws = drawKeys(4096, 20_000, 7)
    expect(draws).toEqual(drawKeys(4096, 20_000, 7))
    expect(draws).not.toEqual(drawKeys(4096, 20_000, 8))
    expect(Math.max(...draws)).toBeLessThan(4096)
    const counts = new Map<number, number>()
    for (const n of draws) counts.set(n, (counts.get(n) ?? 0) + 1)
    const most = [...counts.values()].sort((one, other) => other - one)
    // By Zipf's law with this exponent, 11 % and 5.6 % of the draws.
    expect(most[0] / draws.length).toBeCloseTo(0.112, 1)
    expect(most[0] / most[1]).toBeGreaterThan(1.5)
    expect(counts.size).toBeGreaterThan(2000)
  })

  test('random numbers fill the range evenly', () => {
    const random = randomNumbers(3)
    const buckets = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 10_000; draw++) buckets[Math.floor(random() * 10)]++
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})

test('a mix has its share of writes, and bursts come in one piece', () => {
  const shares = mixNames.map((name) => {
    const pattern = writePattern(name)
    return pattern.reduce((sum, write) => sum + write, 0) / pattern.length
  })
  expect(Object.fromEntries(mixNames.map((name, index) => [name, shares[index]]))).toEqual({
    '100:0': 0,
    '95:5': 0.05,
    '50:50': 0.5,
    burst: 0.1,
  })
  expect(writePattern('burst').indexOf(0)).toBe(1000)
})
