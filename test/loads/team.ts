import { Worker } from 'node:worker_threads'
import type { CacheHandle, EngineChoice, Key, LoadOptions } from '../../src/index.js'
import type { Lineup } from '../support/run.js'
import { workerCode } from '../support/worker-code.js'

/**
 * What a loader in a worker does: after some milliseconds it returns a value, or throws an error with a message, or
 * never ends.
 */
export interface Script {
  readonly ms: number
  readonly value?: unknown
  readonly error?: string
  readonly hangs?: boolean
  /** Whether it waits until the test opens the gate. */
  readonly waits?: boolean
  /** Milliseconds for which it keeps its thread busy, at first. */
  readonly busy?: number
}

/** What a worker is asked to do. */
export type Request =
  | { readonly does: 'load'; readonly key: Key; readonly script: Script; readonly options?: LoadOptions | undefined }
  | {
      readonly does: 'loadMany'
      readonly keys: readonly Key[]
      readonly script: Script
      readonly options?: LoadOptions | undefined
    }
  | { readonly does: 'stampede'; readonly key: Key; readonly script: Script; readonly calls: number }
  | { readonly does: 'stress'; readonly seed: number; readonly times: number; readonly keys: number }
  | { readonly does: 'fail'; readonly seed: number; readonly times: number; readonly keys: number }
  | { readonly does: 'set'; readonly key: Key; readonly value: unknown }
  | { readonly does: 'delete'; readonly key: Key }
  | { readonly does: 'clear' }
  | { readonly does: 'get'; readonly key: Key }

/** How a call of getOrLoad ended, and how many milliseconds after the loader had. */
export interface Ending {
  readonly value?: unknown
  readonly error?: {
    readonly name: string
    readonly message: string
    readonly code: unknown
    readonly cause: unknown
    readonly stack: string
  }
  readonly lag: number
}

/** A call of getOrLoad by a member asked to fail: when it began and ended, in ticks, and with which load's failure. */
export interface Attempt {
  readonly key: number
  readonly began: number
  readonly ended: number
  readonly failure: string | undefined
}

// Words of the memory that a team shares.
/** Loaders called. */
export const CALLED = 0
/** Loaders running, and the most that ran at once. */
export const RUNNING = 1
export const MOST = 2
/** Counts what happens, so that it has an order over all threads. */
export const TICK = 3
/** As a double, the time at which a loader last ended. */
export const ENDED = 2
/** Loaders that wait at the gate end once it is not 0. */
export const GATE = 6
export const SHARED_BYTES = 32

/** Milliseconds since 1970, alike in all threads. */
export function preciseNow(): number {
  return performance.timeOrigin + performance.now()
}

/** A worker with the cache open, which does several things at once. */
export class Member {
  readonly #worker: Worker
  readonly #pending = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>()
  #count = 0

  constructor(handle: CacheHandle, engine: EngineChoice, shared: SharedArrayBuffer) {
    const entry = workerCode(new URL('team-member.ts', import.meta.url)).href
    this.#worker = new Worker(new URL('../support/typescript-worker.js', import.meta.url), {
      workerData: { entry, handle, engine, shared },
    })
    this.#worker.on('message', ({ id, result, failure }: { id: number; result: never; failure?: string }) => {
      if (failure === undefined) this.#pending.get(id)?.resolve(result)
      else this.#pending.get(id)?.reject(new Error(failure))
      this.#pending.delete(id)
    })
  }

  load(key: Key, script: Script, options?: LoadOptions): Promise<Ending> {
    return this.ask({ does: 'load', key, script, options })
  }

  /** Loads many keys, each with its own name as the value. */
  loadMany(keys: readonly Key[], script: Script, options?: LoadOptions): Promise<Ending> {
    return this.ask({ does: 'loadMany', keys, script, options })
  }

  /** Waits until the member has begun with everything it was asked before. */
  async ping(): Promise<void> {
    await this.ask({ does: 'get', key: 'nothing' })
  }

  ask<Result>(request: Request): Promise<Result> {
    return new Promise((resolve, reject) => {
      const id = this.#count++
      this.#pending.set(id, { resolve, reject })
      this.#worker.postMessage({ id, request })
    })
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** Workers on one cache. */
export class Team {
  readonly shared = new SharedArrayBuffer(SHARED_BYTES)
  readonly words = new Int32Array(this.shared)
  readonly members: readonly Member[]

  constructor(handle: CacheHandle, lineup: Lineup, size: number) {
    this.members = Array.from({ length: size }, (_, i) => new Member(handle, lineup.engineOf(i), this.shared))
  }

  /** Waits until all members are up. */
  async assemble(): Promise<void> {
    await Promise.all(this.members.map((member) => member.ping()))
  }

  async dismiss(): Promise<void> {
    await Promise.all(this.members.map((member) => member.terminate()))
  }
}
