import type { CacheSetup } from './caches.js'
import type { Trace } from './trace.js'

/** What a worker is started with. */
export interface WorkerSetup {
  readonly cache: CacheSetup
  readonly database: SharedArrayBuffer
  readonly trace: Trace
  readonly seed: number
  readonly worker: number
  readonly workers: number
}

/** Asks for the requests from `first` up to `last`, or for the heap that the cache takes. */
export type Order = { readonly first: number; readonly last: number } | 'measure-heap'

export interface TurnResult {
  readonly requests: number
  readonly milliseconds: number
  readonly reads: number
  /** Reads that loaded nothing from the database. */
  readonly hits: number
  readonly stale: number
  /** Latencies of the sampled requests in nanoseconds. */
  readonly latencies: Float64Array
}
