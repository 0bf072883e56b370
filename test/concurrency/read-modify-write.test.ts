import { afterAll, describe, expect, test } from 'vitest'
import { Crew } from '../support/crew.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './read-modify-write.tasks.js'

const crew = new Crew<typeof tasks>(new URL('read-modify-write.tasks.ts', import.meta.url), 4)
afterAll(() => crew.dismiss())

const CELLS = 2
const nearCaches = [
  ['with near-caches', undefined],
  ['without near-caches', false],
] as const

describe.each(lineups)('read, decide and write is one step ($name)', (lineup) => {
  test.each(nearCaches)('no update by 4 workers is lost %s', async (_name, nearCache) => {
    using map = crew.open<string, { sum: number }>(lineup)
    const { handle } = map
    const outcomes = await crew.run(
      { lineup: { ...lineup, attach: { nearCache } }, handle },
      'addByUpdate',
      CELLS,
      scaled(4000),
    )
    for (let i = 0; i < CELLS; i++) {
      expect(map.get(`cell ${i}`)).toEqual({ sum: sum(outcomes.map(({ added }) => added[i])) })
    }
    expect(sum(outcomes.map(({ again }) => again))).toBeGreaterThan(0)
    expectSound(map)
  })

  test('a slow update goes through while others write its key all the time', async () => {
    using map = crew.open<string, number>(lineup)
    const times = scaled(20)
    const done = await crew.run({ lineup, handle: map.handle, workers: 3 }, 'updateSlowly', times)
    expect(done[0]).toBe(times)
    expectSound(map)
  })

  test('compareAndSwap: a baton goes from worker to worker, none left out', async () => {
    using map = crew.open<string, { turn: number; round: number }>(lineup)
    map.set('baton', { turn: 0, round: 0 })
    const rounds = scaled(50)
    const turns = await crew.run({ lineup, handle: map.handle }, 'passBaton', rounds)
    expect(turns).toEqual([rounds, rounds, rounds, rounds])
    expect(map.get('baton')).toEqual({ turn: 0, round: rounds })
  })

  test('compareAndDelete: every token goes to one worker', async () => {
    using map = crew.open<number, number>(lineup)
    const tokens = scaled(4000)
    for (let token = 0; token < tokens; token++) map.set(token, token)
    const got = await crew.run({ lineup, handle: map.handle }, 'grabTokens', tokens)
    expect(got.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: tokens }, (_, i) => i))
    expectSound(map)
  })

  test('getOrInsertComputed: all workers get the value of one of them', async () => {
    using map = crew.open<number, string>(lineup)
    const keys = scaled(3000)
    const outcomes = await crew.run({ lineup, handle: map.handle }, 'compute', keys)
    for (const { got, calls } of outcomes) {
      expect(got).toEqual(outcomes[0].got)
      expect(calls).toBeLessThanOrEqual(keys)
    }
    for (let key = 0; key < keys; key++) expect(map.get(key)).toBe(outcomes[0].got[key])
    expectSound(map)
  })

  test('deleteWhere deletes only what its predicate saw', async () => {
    using map = crew.open<number, number>(lineup)
    const lost = await crew.run({ lineup, handle: map.handle, workers: 3 }, 'deleteOdd', 100, scaled(10_000))
    expect(lost.flat()).toEqual([])
    for (const value of map.values()) expect(value % 2).toBe(0)
    expectSound(map)
  })
})

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
