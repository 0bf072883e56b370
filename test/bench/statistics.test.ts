import { describe, expect, test } from 'vitest'
import { median, percentile, percentiles, ratio, spread } from '../../bench/harness/statistics.js'

describe('median', () => {
  test('of an odd and an even number of values, whatever their order', () => {
    expect(median([5, 1, 100])).toBe(5)
    expect(median([4, 1, 3, 100])).toBe(3.5)
    expect(median([7])).toBe(7)
  })

  test('compares numbers, not texts', () => expect(median([10, 9, 2])).toBe(9))

  test('of nothing is not a number', () => expect(median([])).toBeNaN())
})

test('a percentile lies between its two nearest ranks', () => {
  const sorted = [10, 20, 30, 40, 50]
  expect(percentile(sorted, 0)).toBe(10)
  expect(percentile(sorted, 50)).toBe(30)
  expect(percentile(sorted, 90)).toBeCloseTo(46)
  expect(percentile(sorted, 100)).toBe(50)
  expect(percentile([], 50)).toBeNaN()
})

test('percentiles sort a copy', () => {
  const values = Float64Array.from({ length: 1001 }, (_, index) => 1000 - index)
  const { p50, p99, p999 } = percentiles(values)
  expect([p50, p99, p999].map(Math.round)).toEqual([500, 990, 999])
  expect(values[0]).toBe(1000)
})

describe('ratio', () => {
  test('is the median of the quotients of each round, so that a slow round counts once', () => {
    expect(ratio([10, 1000, 12], [5, 500, 4])).toBe(2)
    expect(median([10, 1000, 12]) / median([5, 500, 4])).not.toBe(2)
  })

  test('of what was not measured is not a number', () => {
    expect(ratio([], [])).toBeNaN()
    expect(ratio([1], [])).toBeNaN()
  })
})

test('spread', () => {
  expect(spread([1000, 10, 30, 40, 20])).toBe(20) // the quartiles are 20 and 40
  expect(spread([])).toBeNaN()
})
