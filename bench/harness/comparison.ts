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
export type Timings = Rounds<ContenderName>

/** A contender with the data that it is to hold, and what it is compared by: a name that differs from all others'. */
export interface Entrant<Name extends string> {
  readonly as: Name
  readonly name: ContenderName
  readonly setup: StoreSetup
  /** Which keys it is asked for; by Zipf's law if left out. */
  readonly draws?: Uint32Array
}

/** Nanoseconds an operation, for each round, by operation and entrant. */
export type Rounds<Name extends string> = ReadonlyMap<Operation, ReadonlyMap<Name, readonly number[]>>

/** Measures single-thread operations of several contenders on the same data. */
export async function compare(
  run: Run,
  setup: StoreSetup,
  names: readonly ContenderName[],
  operations: readonly Operation[],
): Promise<Timings> {
  const draws = drawKeys(setup.size, effortOf(run).draws, run.seed)
  const entrants = names.map((name) => ({ as: name, name, setup, draws }))
  return compareEach(run, entrants, operations)
}

/**
 * Measures single-thread operations of several entrants. The rounds are interleaved: every round measures every entrant,
 * each time starting with another one.
 */
export async function compareEach<Name extends string>(
  run: Run,
  entrants: readonly Entrant<Name>[],
  operations: readonly Operation[],
): Promise<Rounds<Name>> {
  const { rounds, milliseconds, warmup, draws: count } = effortOf(run)
  const timings = new Map<Operation, Map<Name, number[]>>()
  const stages: { as: Name; stage: Stage }[] = []
  const open = async ({ as, name, setup, draws }: Entrant<Name>): Promise<{ as: Name; stage: Stage }> => ({
    as,
    stage: await Stage.open(name, setup, run, draws ?? drawKeys(setup.size, count, run.seed)),
  })
  try {
    const supported = entrants.filter(({ name, setup }) => kindOf(name).supports(setup.value, run))
    for (let first = 0; first < supported.length; first += FILLED_AT_ONCE) {
      const next = supported.slice(first, first + FILLED_AT_ONCE)
      run.progress(`filling ${next.map(({ name }) => kindOf(name).label).join(' and ')}`)
      const opened = await Promise.allSettled(next.map(open))
      for (const one of opened) if (one.status === 'fulfilled') stages.push(one.value)
      for (const one of opened) if (one.status === 'rejected') throw one.reason
    }
    for (const operation of operations) {
      const ofEntrant = new Map(stages.map(({ as }) => [as, [] as number[]]))
      timings.set(operation, ofEntrant)
      run.progress(`${operation}, ${rounds} rounds of ${stages.length} contenders`)
      for (let round = 0; round < rounds; round++) {
        for (let turn = 0; turn < stages.length; turn++) {
          const { as, stage } = stages[(round + turn) % stages.length]
          const warm = round === 0 ? warmup : REWARM_MILLISECONDS
          ofEntrant.get(as)!.push(await stage.measure(operation, milliseconds, warm))
        }
      }
    }
  } finally {
    await Promise.all(stages.map(({ stage }) => stage.close()))
  }
  return timings
}

const effortOf = ({ quick }: Run): Effort => (quick ? QUICK : FULL)

/** The rounds of one contender; empty if it was not measured. */
export const roundsOf = <Name extends string>(
  timings: Rounds<Name>,
  operation: Operation,
  name: Name,
): readonly number[] => timings.get(operation)?.get(name) ?? []

export const medianOf = <Name extends string>(timings: Rounds<Name>, operation: Operation, name: Name): number =>
  median(roundsOf(timings, operation, name))
