/** A thread dies before every store of an append; whoever goes on finds a table that is whole. */
import { describe, expect, test } from 'vitest'
import { storeOf } from '../../src/public/concurrent-map.js'
import { dieEverywhere, type EngineName } from '../death/steps.js'
import type { Operation, Scenario, Subject } from '../death/steps.scenarios.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'

const survivors = lineups.filter(({ name }) => name !== 'native').map(({ engineOf }) => engineOf(0) as EngineName)

/** Adds shape `i`, with a parent that has others already. */
const add = (map: Subject, i: number): number =>
  storeOf(map)
    .open()
    .addShape(Math.floor(i / 3), `name ${i}`)

const adding = (i: number): Operation => ({
  run(map) {
    expect(add(map, i)).toBe(i + 1)
  },
  effect: () => undefined,
})

const BEFORE = 62

const SCENARIOS: Record<string, Scenario> = {
  'the first append': {
    prepare: (map) => map.set('key', 'value'),
    operations: () => [adding(0)],
  },
  'appends, of which one begins a chunk': {
    prepare(map) {
      for (let i = 0; i < BEFORE; i++) add(map, i)
      map.set('key', 'value')
    },
    operations: () => Array.from({ length: 4 }, (_, i) => adding(BEFORE + i)),
  },
}

describe.each(survivors)('then "%s" goes on', (engine) => {
  test.each(Object.entries(SCENARIOS))('after %s', async (name, scenario) => {
    const { stores, deaths, problems, mostLost } = await dieEverywhere(scenario, engine, scaled(120), new Random(seed))
    console.info(`${name}: ${deaths} deaths in ${stores} stores; at most ${mostLost} blocks lost`)
    expect(problems, `MAPSAFE_SEED=${seed}`).toEqual([])
    expect(deaths).toBeGreaterThan(10)
  })
})
