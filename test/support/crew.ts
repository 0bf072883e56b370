import {
  ConcurrentMap,
  type AttachOptions,
  type ConcurrentMapOptions,
  type Key,
  type MapHandle,
} from '../../src/index.js'
import { Barrier } from './barrier.js'
import { startContained, startProcess, startThread, type Member } from './member.js'
import type { Random } from './random.js'
import { seed, type Lineup } from './run.js'
import { Scratch } from './scratch.js'
import type { SharedMemory } from './shared-memory.js'

/** Threads that share memory, threads that each map a file, processes, or processes in containers of their own. */
export type CrewKind = 'threads' | 'threads on a file' | 'processes' | 'containers'

/** What a task finds when it runs in a worker. */
export interface Shift<V = unknown> {
  /** Attached with the worker's engine, closed after the task. */
  readonly map: ConcurrentMap<Key, V>
  /** Number of this worker, from 0. */
  readonly worker: number
  readonly workers: number
  /** This worker's own choices. */
  readonly random: Random
  /** Waits until every worker of the run came here. A task starts with one done. */
  readonly rendezvous: () => void
}

/** Runs in a worker. Parameters and result are structured-cloned. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any value type and any parameters
export type Task = (shift: Shift<any>, ...parameters: any[]) => unknown

type ParametersOf<T> = T extends (shift: never, ...parameters: infer P) => unknown ? P : never
type ResultOf<T> = T extends (...all: never) => infer R ? Awaited<R> : never

/** How many workers, on which map, with which engines. */
export interface Run {
  readonly lineup: Lineup
  readonly handle: MapHandle
  /** Default: all of the crew. */
  readonly workers?: number
}

/** What a worker is told; see crew-member.ts. */
export interface Order {
  readonly task: string
  readonly parameters: readonly unknown[]
  readonly handle: MapHandle
  readonly attach: AttachOptions
  readonly worker: number
  readonly workers: number
  readonly seed: number
  /** How many runs the crew had before. */
  readonly run: number
  readonly barrier: SharedMemory
}

export type Outcome = { readonly result: unknown } | { readonly failure: string }

/**
 * Worker threads, or processes, that do the tasks of one module, again and again: a worker takes a quarter of a second
 * to start, so tests of a file share one crew. `Tasks` is the module's type.
 */
export class Crew<Tasks> {
  readonly #members: Member[]
  readonly #scratch: Scratch | undefined
  #runs = 0

  /**
   * @param tasks URL of the module whose exports are the tasks
   * @param kind default: what MAPSAFE_CREW says, or threads
   */
  constructor(tasks: URL, size: number, kind: CrewKind = defaultKind()) {
    console.info(`MAPSAFE_SEED=${seed}`)
    this.#scratch = kind === 'threads' ? undefined : new Scratch()
    const start = kind === 'processes' ? startProcess : kind === 'containers' ? startContained : startThread
    this.#members = Array.from({ length: size }, () => start(tasks.href))
  }

  /** An empty map that all members can attach to; in a file, unless they are plain threads. */
  open<K extends Key, V>(lineup: Lineup, options: Omit<ConcurrentMapOptions, 'engine'> = {}): ConcurrentMap<K, V> {
    return new ConcurrentMap({ ...options, engine: lineup.engineOf(0), file: this.#scratch?.file() })
  }

  /** Memory for all members, as a parameter of their tasks. */
  memory(bytes: number): SharedMemory {
    return this.#scratch?.memory(bytes) ?? new SharedArrayBuffer(bytes)
  }

  /** Runs one task on every worker at once, and returns what each returned. Fails if one fails. */
  async run<Name extends keyof Tasks & string>(
    { lineup, handle, workers = this.#members.length }: Run,
    task: Name,
    ...parameters: ParametersOf<Tasks[Name]>
  ): Promise<ResultOf<Tasks[Name]>[]> {
    const barrier = this.memory(Barrier.BYTES)
    const run = this.#runs++
    const orders = this.#members.slice(0, workers).map(async (member, worker) => {
      const engine = lineup.engineOf(worker)
      const order: Order = {
        ...{ task, parameters, handle, worker, workers, seed, run, barrier },
        attach: { ...lineup.attach, engine },
      }
      const outcome = await ask(member, order)
      if ('result' in outcome) return outcome.result
      throw new Error(`worker ${worker} of ${workers} (${engine}), MAPSAFE_SEED=${seed}: ${outcome.failure}`)
    })
    const settled = await Promise.allSettled(orders)
    const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []))
    if (failures.length > 0) throw new Error(failures.map(({ message }) => message).join('\n'))
    return settled.map((one) => (one as PromiseFulfilledResult<ResultOf<Tasks[Name]>>).value)
  }

  /** Ends all members at once, if they are processes, in whatever they are doing. */
  kill(): void {
    for (const member of this.#members) member.kill?.()
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.end()))
    this.#scratch?.[Symbol.dispose]()
  }
}

function defaultKind(): CrewKind {
  return (process.env.MAPSAFE_CREW ?? 'threads') as CrewKind
}

function ask({ events, send }: Member, order: Order): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const stop = (code: number): void => reject(new Error(`the worker ended with code ${code}`))
    const settle = (): void => void events.off('message', answer).off('error', fail).off('exit', stop)
    const answer = (outcome: Outcome): void => {
      settle()
      resolve(outcome)
    }
    const fail = (error: Error): void => {
      settle()
      reject(error)
    }
    events.on('message', answer).on('error', fail).on('exit', stop)
    send(order)
  })
}
