import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { AttachOptions, CacheHandle, LoadOptions } from '../../src/index.js'
import { until } from '../support/patience.js'
import { processCode } from '../support/worker-code.js'

export interface Setup {
  readonly handle: CacheHandle
  readonly attach: AttachOptions & { readonly breaker?: object }
}

/** What a loader does. */
export interface Script {
  readonly ms?: number
  /** What it throws. */
  readonly error?: string
  /** Whether it goes on only once its process is told to `open`. */
  readonly waits?: boolean
}

export type Order =
  | { readonly does: 'load'; readonly key: string; readonly script: Script; readonly options?: LoadOptions }
  | { readonly does: 'many'; readonly keys: readonly string[]; readonly script: Script; readonly options?: LoadOptions }
  | { readonly does: 'get' | 'has' | 'version'; readonly key: string }
  | { readonly does: 'open' }

/** A loader of the process was called, with those keys. */
export interface Called {
  readonly called: readonly string[]
}

type Answer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly failure: string }

const { path, execArgv } = processCode(new URL('load-options.program.ts', import.meta.url))

/** A process with the cache open. */
export class Caller {
  /** The keys of each call of its loaders. */
  readonly called: (readonly string[])[] = []
  readonly #child: ChildProcess
  readonly #pending = new Map<number, (outcome: string) => void>()
  #count = 1

  constructor(setup: Setup) {
    this.#child = fork(path, [JSON.stringify(setup)], { execArgv })
    this.#pending.set(0, () => undefined)
    this.#child.on('message', (message: Called | Answer) => {
      if ('called' in message) {
        this.called.push(message.called)
        return
      }
      this.#pending.get(message.id)!('failure' in message ? `failed: ${message.failure}` : (message.result as string))
      this.#pending.delete(message.id)
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Waits until it is up. */
  async arrive(): Promise<void> {
    await until(`process ${this.pid}`, () => this.#pending.size === 0)
  }

  /** @returns the result, or the code of the error */
  ask(order: Order): Promise<unknown> {
    return new Promise((resolve) => {
      const id = this.#count++
      this.#pending.set(id, resolve)
      this.#child.send({ id, order })
    })
  }

  /** Waits until its loaders were called so often. */
  async hearCalled(times = 1): Promise<void> {
    await until(`${times} calls of loaders in process ${this.pid}`, () => this.called.length >= times)
  }

  /** Waits until it has begun with everything it was asked before. */
  async ping(): Promise<void> {
    await this.ask({ does: 'has', key: 'nothing' })
  }

  async kill(): Promise<void> {
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  async end(): Promise<void> {
    if (this.hasEnded) return
    const exit = once(this.#child, 'exit')
    this.#child.disconnect()
    await exit
  }
}
