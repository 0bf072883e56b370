import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Barrier } from '../support/barrier.js'
import type { Order } from '../support/crew.js'
import { Random } from '../support/random.js'
import { lineups, scaled, seed } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { openMemory } from '../support/shared-memory.js'
import { takingOver, open, scenarios, type Entries } from './steps.scenarios.js'
import { watchedScenarios } from './steps.watched.js'
import { DONE, IS_DYING, LEDGER_BYTES } from './steps.tasks.js'
import { create, dieEverywhere, goOn, leaveDead, outcomes, storesOf, type Deaths, type EngineName } from './steps.js'
import { faults, startVictim } from './trial.js'

/** Deaths in each scenario, spread over its stores; with MAPSAFE_SCALE=1500 before every single one. */
const DEATHS = 6
/** Of those who died before, in each scenario of takeovers. */
const TAKEOVERS = 3
/** In each scenario of real deaths, which take half a second each. */
const MOST_REAL_DEATHS = 20
/** As in death.test.ts. */
const BOUND_MS = { native: 100, typescript: 2000 }
const tasks = new URL('steps.tasks.ts', import.meta.url).href

const survivors = lineups.filter(({ name }) => name !== 'native').map(({ engineOf }) => engineOf(0) as EngineName)

function expectNoHarm(name: string, engine: EngineName, { stores, deaths, problems, mostLost, stalls }: Deaths): void {
  const stall = (share: number): string => stalls[Math.floor((stalls.length - 1) * share)].toFixed(1)
  console.info(
    `${name}: ${deaths} deaths in ${stores} stores; stalls in milliseconds: median ${stall(0.5)}, nine in ten within ` +
      `${stall(0.9)}, longest ${stall(1)}; at most ${mostLost} blocks lost`,
  )
  expect(problems, `MAPSAFE_SEED=${seed}`).toEqual([])
  expect(stalls[Math.floor(stalls.length * 0.8)]).toBeLessThan(BOUND_MS[engine])
}

describe.each(survivors)('a thread of the TypeScript engine dies before a store; then "%s" goes on', (engine) => {
  const random = new Random(seed)

  test.each(Object.entries({ ...scenarios, ...watchedScenarios }))('%s', async (name, scenario) => {
    const deaths = scaled(DEATHS * (scenario.weight ?? 1))
    expectNoHarm(name, engine, await dieEverywhere(scenario, engine, deaths, random))
  })

  test.each([
    'writes of a crowded segment',
    'a split that doubles the directory',
    'clear',
    'joins of segments',
    'inserts that evict',
  ])('while it takes over from one who died in %s', async (name) => {
    for (let takeover = 0; takeover < TAKEOVERS; takeover++) {
      const stage = leaveDead(scenarios[name], random)
      const deaths = await dieEverywhere(takingOver(scenarios[name]), engine, scaled(DEATHS / 2), random, stage)
      expectNoHarm(`takeover after ${name}`, engine, deaths)
    }
  })
})

// The deaths above are made by copying memory. These are real ones.
describe.each(faults)('%s before a store', (fault) => {
  test.each(['writes of one bucket', 'a split that doubles the directory', 'inserts that evict'])(
    '%s',
    async (name) => {
      const random = new Random(seed)
      for (let death = 0; death < Math.min(scaled(2), MOST_REAL_DEATHS); death++) {
        using scratch = new Scratch()
        const isInFile = fault !== 'terminate'
        const scenario = scenarios[name]
        using map = create(scenario, isInFile ? scratch.file() : undefined)
        scenario.prepare(map)
        const entries: Entries = new Map(map.entries())
        const memory = isInFile ? scratch.memory(LEDGER_BYTES) : new SharedArrayBuffer(LEDGER_BYTES)
        const ledger = new Int32Array(openMemory(memory))
        const store = random.below(Math.floor(storesOf(scenario) * 0.9))
        const member = startVictim(fault, tasks)
        const exit = once(member.events, 'exit')
        member.send({
          ...{ task: 'dieBeforeStore', parameters: [memory, name, store, entries.size], handle: map.handle },
          ...{ attach: { engine: 'typescript' }, worker: 0, workers: 1, seed, run: 0 },
          barrier: isInFile ? scratch.memory(Barrier.BYTES) : new SharedArrayBuffer(Barrier.BYTES),
        } satisfies Order)
        while (Atomics.load(ledger, IS_DYING) === 0) await sleep(1)
        // Who has id 1 in its namespace cannot kill itself.
        if (fault === 'container') member.kill!()
        else if (fault !== 'SIGKILL') await member.end()
        await exit

        const operations = scenario.operations(entries.size)
        const done = Atomics.load(ledger, DONE)
        expect(done, 'died in the midst of it').toBeLessThan(operations.length)
        const expected = outcomes({ before: entries, after: entries }, operations, done)
        using survivor = open(map.handle, 'typescript')
        map.close()
        expect(goOn(scenario, expected, survivor).problems, `store ${store}, MAPSAFE_SEED=${seed}`).toEqual([])
      }
    },
  )
})
