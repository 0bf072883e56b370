import type { Case, Findings, Run } from '../harness/case.js'
import type { HolderName } from '../harness/holder.js'
import { median, ratio } from '../harness/statistics.js'
import { Thread } from '../harness/thread.js'
import { bytes, count, duration, times } from '../report/format.js'

export type KeyChoice = (typeof CHOICES)[number]

export interface ChosenKeysSetup {
  readonly holder: HolderName
  readonly choice: KeyChoice
  readonly size: number
  readonly seed: number
}

/** Nanoseconds an operation, and bytes. */
export interface ChosenKeysCost {
  readonly insert: number
  readonly read: number
  readonly bytes: number
}

const CHOICES = ['random', 'numbered', 'colliding under djb2'] as const
const HOLDERS = ['mapsafe', 'mapsafe, TypeScript'] as const satisfies readonly HolderName[]
const ROUNDS = 3

/** The effect of chosen keys when the attacker does not know the secret. */
export const chosenKeys: Case = {
  name: 'chosen-keys',
  title: 'Keys chosen against the hash',
  method: `Inserts and reads 1 M keys of 40 characters, with numbers as values, one thread, without near-cache: random ones, ones that count up, and ones that
all have one hash under djb2, an unkeyed function. mapsafe's hash has a secret in each region, so that all should cost the same.`,
  async run(run: Run): Promise<Findings> {
    const size = run.quick ? 2 ** 14 : 2 ** 20
    const costs = new Map<string, ChosenKeysCost[]>()
    for (let round = 0; round < (run.quick ? 1 : ROUNDS); round++) {
      for (const holder of HOLDERS) {
        for (const choice of CHOICES) {
          run.progress(`${holder}, ${choice}`)
          const name = `${holder}: ${choice}`
          costs.set(name, [...(costs.get(name) ?? []), await measure({ holder, choice, size, seed: run.seed + round })])
        }
      }
    }
    const of = (holder: HolderName, choice: KeyChoice, what: keyof ChosenKeysCost): number[] =>
      costs.get(`${holder}: ${choice}`)!.map((cost) => cost[what])
    return {
      tables: HOLDERS.map((holder) => ({
        title: `${holder}, ${count(size)} keys`,
        columns: ['', 'insert', 'of random', 'read', 'of random', 'bytes an entry'],
        rows: CHOICES.map((choice) => [
          choice,
          duration(median(of(holder, choice, 'insert'))),
          times(ratio(of(holder, choice, 'insert'), of(holder, 'random', 'insert'))),
          duration(median(of(holder, choice, 'read'))),
          times(ratio(of(holder, choice, 'read'), of(holder, 'random', 'read'))),
          bytes(median(of(holder, choice, 'bytes'))),
        ]),
      })),
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

async function measure(setup: ChosenKeysSetup): Promise<ChosenKeysCost> {
  const thread = new Thread<'measure'>(new URL('chosen-keys.worker.js', import.meta.url), setup)
  try {
    return await thread.ask<ChosenKeysCost>('measure')
  } finally {
    await thread.stop()
  }
}
