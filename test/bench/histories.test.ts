import { describe, expect, test } from 'vitest'
import { histories } from '../../bench/histories/index.js'
import { KEY_BYTES, mixes } from '../../bench/histories/mixes.js'
import { ALL, Planner } from '../../bench/histories/planner.js'

const BYTES = 8 * 2 ** 20
const most = Math.max(...Object.values(mixes).map(({ promise }) => promise))

describe.each(histories)('$name', (history) => {
  const planner = new Planner(BYTES, 5)
  history.plan(planner)

  test('never has more than is promised, and knows what is there', () => {
    const there = new Map<number, number>()
    let bytes = 0
    let written = 0
    const { operations } = planner
    for (let at = 0; at < operations.length; at += 2) {
      const [key, what] = operations.subarray(at, at + 2)
      if (key === ALL) {
        there.clear()
        bytes = 0
        continue
      }
      const before = there.get(key)
      if (before !== undefined) bytes -= before + KEY_BYTES
      if (what === 0) {
        expect(before, 'only what is there is deleted').toBeDefined()
        there.delete(key)
      } else {
        there.set(key, what - 1)
        bytes += what - 1 + KEY_BYTES
        written += what - 1
      }
      if (bytes > BYTES * most) expect.fail(`${bytes} bytes after ${at / 2} operations`)
    }
    expect(planner.bytes).toBe(bytes)
    expect(written).toBeGreaterThan(BYTES / 2)
  })

  test('is the same again for the same seed, and another one for another', () => {
    const [again, other] = [5, 6].map((seed) => {
      const one = new Planner(BYTES, seed)
      history.plan(one)
      return one.operations
    })
    expect(again).toEqual(planner.operations)
    expect(other).not.toEqual(planner.operations)
  })
})

test('there are twenty', () => {
  expect(new Set(histories.map(({ name }) => name)).size).toBe(20)
})
