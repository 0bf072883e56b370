import { once } from 'node:events'
import { createHistogram } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import type { CacheSetup } from './caches.js'
import { SessionDatabase } from './session.js'
import type { Trace } from './trace.js'
import type { Order, TurnResult, WorkerSetup } from './worker-protocol.js'

export interface WorkerTotals {
  requests: number
  milliseconds: number
}

/** Latencies in nanoseconds. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** The workers that serve from one kind of cache, and what they counted so far. */
export class Team {
  readonly perWorker: readonly WorkerTotals[]
  reads = 0
  hits = 0
  stale = 0
  readonly #workers: readonly Worker[]
  readonly #latencies = createHistogram({ figures: 3 })

  /** @param script the workers' program, in this folder */
  constructor(script: string, cache: CacheSetup, trace: Trace, seed: number, workers: number) {
    const database = SessionDatabase.allocate(trace.keys.length)
    this.#workers = Array.from({ length: workers }, (_, worker) => {
      const workerData: WorkerSetup = { cache, database, trace, seed, worker, workers }
      return new Worker(new URL(script, import.meta.url), { workerData })
    })
    this.perWorker = this.#workers.map(() => ({ requests: 0, milliseconds: 0 }))
  }

  /**
   * Serves the requests from number `first` up to `last`. @returns how long the slowest worker took, in milliseconds
   */
  async turn(first: number, last: number): Promise<number> {
    const results = await this.#ask<TurnResult>({ first, last })
    for (const [worker, result] of results.entries()) {
      this.perWorker[worker].requests += result.requests
      this.perWorker[worker].milliseconds += result.milliseconds
      this.reads += result.reads
      this.hits += result.hits
      this.stale += result.stale
      for (const latency of result.latencies) this.#latencies.record(Math.max(1, Math.round(latency)))
    }
    return Math.max(...results.map(({ milliseconds }) => milliseconds))
  }

  get latencies(): Latencies {
    return {
      p50: this.#latencies.percentile(50),
      p99: this.#latencies.percentile(99),
      p999: this.#latencies.percentile(99.9),
    }
  }

  /** Bytes of JavaScript heap that the workers' caches take, all workers together. */
  async measureHeap(): Promise<number> {
    const bytes = await this.#ask<number>('measure-heap')
    return bytes.reduce((sum, one) => sum + Math.max(0, one), 0)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  /** Sends all workers an order and waits for every answer; rejects if a worker fails. */
  #ask<Answer>(order: Order): Promise<Answer[]> {
    return Promise.all(
      this.#workers.map(async (worker) => {
        const answer = once(worker, 'message') as Promise<[Answer]>
        worker.postMessage(order)
        return (await answer)[0]
      }),
    )
  }
}
