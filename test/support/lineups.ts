import type { EngineChoice } from '../../src/index.js'

/** Which engine each thread of a test works with. */
export interface Lineup {
  readonly name: 'native' | 'typescript' | 'mixed'
  /** Workers count from 0; the test's own thread has the engine of worker 0. */
  readonly engineOf: (worker: number) => EngineChoice
}

const ALL: readonly Lineup[] = [
  { name: 'native', engineOf: () => 'native' },
  { name: 'typescript', engineOf: () => 'typescript' },
  { name: 'mixed', engineOf: (worker) => (worker % 2 === 0 ? 'native' : 'typescript') },
]

const chosen = process.env.MAPSAFE_ENGINES?.split(',')

/** Every lineup, or those that MAPSAFE_ENGINES names, separated by commas. */
export const lineups = ALL.filter(({ name }) => chosen?.includes(name) ?? true)
