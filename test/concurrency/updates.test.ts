import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import { BOTH_WORDS } from './updates.tasks.js'
import type * as tasks from './updates.tasks.js'

const crew = new Crew<typeof tasks>(new URL('updates.tasks.ts', import.meta.url), 8)
afterAll(() => crew.dismiss())

const COUNTERS = 3

describe.each(lineups)('no update is lost ($name)', (lineup) => {
  test.each([2, 4, 8])('increments by %i workers add up', async (workers) => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const added = await crew.run({ lineup, handle, workers }, 'increment', COUNTERS, scaled(24_000 / workers))
    for (let i = 0; i < COUNTERS; i++) expect(map.get(`counter ${i}`)).toBe(sum(added.map((row) => row[i])))
    expectSound(map)
  })

  test.each([2, 4])('half of %i workers count, the rest read a sum with the version it came with', async (workers) => {
    using map = crew.open<string, number>(lineup)
    const { handle } = map
    const met = (await crew.run({ lineup, handle, workers }, 'countAndRead', scaled(20_000))).flat()
    const inOrder = met.toSorted(([a], [b]) => a - b)
    for (const [i, [version, sum]] of inOrder.entries()) {
      expect(sum % BOTH_WORDS).toBe(0)
      const [earlier, lower] = inOrder[i - 1] ?? [0, 0]
      if (version === earlier) expect(sum).toBe(lower)
      else expect(sum).toBeGreaterThan(lower)
    }
    expect(map.get('counter')).toBe((workers / 2) * scaled(20_000) * BOTH_WORDS)
    expectSound(map)
  })

  test.each([2, 4])('read, add and setIfVersion by %i workers add up', async (workers) => {
    using map = crew.open<string, { sum: number }>(lineup)
    const { handle } = map
    const added = await crew.run({ lineup, handle, workers }, 'addByVersion', COUNTERS, scaled(12_000 / workers))
    for (let i = 0; i < COUNTERS; i++) expect(map.get(`cell ${i}`)).toEqual({ sum: sum(added.map((row) => row[i])) })
    expectSound(map)
  })

  test.each([2, 8])('setIfAbsent, then take: one of %i workers wins each key, one gets it', async (workers) => {
    using map = crew.open<number, number>(lineup)
    const { handle } = map
    const keys = scaled(6000)
    const won = await crew.run({ lineup, handle, workers }, 'claimKeys', keys)
    expect(ascending(won.flat())).toEqual(numbersBelow(keys))
    for (const [worker, row] of won.entries()) for (const key of row) expect(map.get(key)).toBe(worker)
    expectSound(map)

    const taken = await crew.run({ lineup, handle, workers }, 'takeKeys', keys)
    expect(ascending(taken.flat())).toEqual(numbersBelow(keys))
    expect(map.size).toBe(0)
    expectSound(map)
  })

  test('swap and take: every token put in comes out once, or is there at the end', async () => {
    using map = crew.open<number, number>(lineup)
    const { handle } = map
    const exchanged = await crew.run({ lineup, handle, workers: 4 }, 'exchangeTokens', 4, scaled(6000))
    const given = exchanged.flatMap((one) => one.given)
    const found = exchanged.flatMap((one) => one.received).concat([...map.values()])
    expect(ascending(found)).toEqual(ascending(given))
    expectSound(map)
  })

  test.each([2, 4])('size is inserts minus deletes of %i workers', async (workers) => {
    using map = crew.open<string, string>(lineup)
    const { handle } = map
    const balances = await crew.run({ lineup, handle, workers }, 'insertAndDelete', scaled(2000), scaled(12_000))
    expect(map.size).toBe(sum(balances))
    expectSound(map)
  })
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function ascending(numbers: readonly number[]): number[] {
  return numbers.toSorted((a, b) => a - b)
}

function numbersBelow(end: number): number[] {
  return Array.from({ length: end }, (_, i) => i)
}
