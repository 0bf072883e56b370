import { randomInt } from 'node:crypto'
import type { AttachOptions, EngineChoice } from '../../src/index.js'

/**
 * The seed of this run's random tests: MAPSAFE_SEED, or a fresh one. It is printed with a failure. The same seed
 * repeats all choices, though not the schedule of the threads.
 */
export const seed = Number(process.env.MAPSAFE_SEED ?? randomInt(2 ** 31))

const scale = Number(process.env.MAPSAFE_SCALE ?? 1)

/** An amount of work, times MAPSAFE_SCALE (default 1). */
export function scaled(amount: number): number {
  return Math.max(1, Math.round(amount * scale))
}

/** Which engine each thread of a test works with. */
export interface Lineup {
  readonly name: string
  /** Workers count from 0; the test's own thread has the engine of worker 0. */
  readonly engineOf: (worker: number) => EngineChoice
  /** How all threads attach, beside the engine. */
  readonly attach: Omit<AttachOptions, 'engine'>
}

const ALL_LINEUPS: readonly Lineup[] = [
  { name: 'native', engineOf: () => 'native', attach: {} },
  { name: 'typescript', engineOf: () => 'typescript', attach: {} },
  { name: 'mixed', engineOf: (worker) => (worker % 2 === 0 ? 'native' : 'typescript'), attach: {} },
]

const chosen = process.env.MAPSAFE_ENGINES?.split(',')

/** Every lineup, or those that MAPSAFE_ENGINES names, separated by commas. */
export const lineups = ALL_LINEUPS.filter(({ name }) => chosen?.includes(name) ?? true)

/** Every lineup twice: with the near-cache, which is the default, and with an engine read for every `get`. */
export const nearAndFarLineups = lineups.flatMap((lineup) => [
  lineup,
  { ...lineup, name: `${lineup.name}, no near-cache`, attach: { nearCache: false } as const },
])
