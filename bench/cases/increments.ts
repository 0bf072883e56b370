import type { EngineChoice, MapHandle } from 'mapsafe'
import { Thread } from '../harness/thread.js'

/** Counters that workers increment, in one of several maps. */
export interface Counters {
  readonly handle: MapHandle
  /** Drawn by Zipf's law, the first most often. */
  readonly keys: readonly string[]
}

export interface IncrementsSetup {
  readonly engine: EngineChoice
  readonly counters: readonly Counters[]
  readonly seed: number
}

export interface IncrementsOrder {
  /** Which of the counters. */
  readonly index: number
  readonly milliseconds: number
  /** A counter of the workers that are ready; all start when it is `workers`. */
  readonly ready: Int32Array
  readonly workers: number
  /** Memory whose first word is incremented instead: the limit that the processor alone sets. */
  readonly bare: Int32Array | undefined
}

export interface Increments {
  readonly operations: number
  /** Operations a second. */
  readonly rate: number
  /** Nanoseconds of the sampled operations. */
  readonly latencies: Float64Array
}

/** Workers that increment counters together. */
export class Incrementers {
  readonly #threads: readonly Thread<IncrementsOrder>[]

  constructor(workers: number, engine: EngineChoice, counters: readonly Counters[], seed: number) {
    this.#threads = Array.from({ length: workers }, (_, worker) => {
      const setup: IncrementsSetup = { engine, counters, seed: seed + worker }
      return new Thread<IncrementsOrder>(new URL('increments.worker.js', import.meta.url), setup)
    })
  }

  /** Lets the first `workers` of them increment the counters `index`, or a bare word, at once. */
  async work(index: number, workers: number, milliseconds: number, bare?: Int32Array): Promise<Increments> {
    const ready = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const works = await Promise.all(
      this.#threads
        .slice(0, workers)
        .map((thread) => thread.ask<Increments>({ index, milliseconds, ready, workers, bare })),
    )
    return {
      operations: works.reduce((sum, { operations }) => sum + operations, 0),
      rate: works.reduce((sum, { rate }) => sum + rate, 0),
      latencies: Float64Array.from(works.flatMap(({ latencies }) => [...latencies])),
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()))
  }
}

/** @throws if the counters do not say how many increments there were */
export function expectCount(values: Iterable<number>, increments: number): void {
  let sum = 0
  for (const value of values) sum += value
  if (sum !== increments) throw new Error(`${increments} increments, but the counters say ${sum}`)
}
