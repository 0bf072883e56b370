import type { StoreSetup } from '../contenders/contender.js'
import { kindOf, type ContenderName } from '../contenders/index.js'
import type { Run } from './case.js'
import { drawKeys } from './draws.js'
import { Stage, type Operation } from './stage.js'
import { median } from './statistics.js'

interface Effort {
  readonly rounds: number
  /** Time for each contender in each round. */
  readonly milliseconds: number
  /** Before the first round. */
  readonly warmup: number
  /** Accesses before they repeat, a power of two. */
  readonly draws: number
}

const FULL: Effort = { rounds: 7, milliseconds: 40, warmup: 150, draws: 2 ** 20 }
const QUICK: Effort = { rounds: 3, milliseconds: 5, warmup: 30, draws: 2 ** 16 }

/** Before the later rounds: the contender's data is to be in the processor's caches again. */
const REWARM_MILLISECONDS = 3

/** Contenders that are filled at the same time; nothing is measured meanwhile. */
const FILLED_AT_ONCE = 2

/** Nanoseconds an operation, for each round, by operation and contender. */
export type Timings = ReadonlyMap<Operation, ReadonlyMap<ContenderName, readonly number[]>>

/**
 * Measures single-thread operations of several contenders on the same data. The rounds are interleaved: every round
 * measures every contender, each time starting with another one.
 */
export async function compare(
  run: Run,
  setup: StoreSetup,
  names: readonly ContenderName[],
  operations: readonly Operation[],
): Promise<Timings> {
  const { rounds, milliseconds, warmup, draws: count } = run.quick ? QUICK : FULL
  const draws = drawKeys(setup.size, count, run.seed)
  const timings = new Map<Operation, Map<ContenderName, number[]>>()
  const stages: Stage[] = []
  try {
    const supported = names.filter((name) => kindOf(name).supports(setup.value, run))
    for (let first = 0; first < supported.length; first += FILLED_AT_ONCE) {
      const next = supported.slice(first, first + FILLED_AT_ONCE)
      run.progress(`filling ${next.map((name) => kindOf(name).label).join(' and ')}`)
      const opened = await Promise.allSettled(next.map((name) => Stage.open(name, setup, run, draws)))
      for (const one of opened) if (one.status === 'fulfilled') stages.push(one.value)
      for (const one of opened) if (one.status === 'rejected') throw one.reason
    }
    for (const operation of operations) {
      const ofContender = new Map(stages.map(({ name }) => [name, [] as number[]]))
      timings.set(operation, ofContender)
      run.progress(`${operation}, ${rounds} rounds of ${stages.length} contenders`)
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < stages.length; turn++) {
          const stage = stages[(round + turn) % stages.length]
          const warm = round === 0 ? warmup : REWARM_MILLISECONDS
          ofContender.get(stage.name)!.push(await stage.measure(operation, milliseconds, warm))
        }
      }
    }
  } finally {
    await Promise.all(stages.map((stage) => stage.close()))
  }
  return timings
}

/** The rounds of one contender; empty if it was not measured. */
export const roundsOf = (timings: Timings, operation: Operation, name: ContenderName): readonly number[] =>
  timings.get(operation)?.get(name) ?? []

export const medianOf = (timings: Timings, operation: Operation, name: ContenderName): number =>
  median(roundsOf(timings, operation, name))
