import { fork } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import type { CacheHandle, EngineChoice } from '../../src/index.js'
import { until } from '../support/patience.js'
import { processCode, workerCode } from '../support/worker-code.js'

export interface SleeperSetup {
  readonly handle: CacheHandle
  readonly engine: EngineChoice
  readonly nearCache: boolean
}

export type SleeperOrder =
  | { readonly does: 'race'; readonly seed: number; readonly rounds: number; readonly name: string }
  | { readonly does: 'load' | 'wait' | 'set' | 'delete'; readonly keys: readonly string[] }
  | { readonly does: 'end'; readonly keys: readonly string[]; readonly error?: string }
  | { readonly does: 'clear' | 'close' }

export type SleeperReport =
  | { readonly tells: 'ready'; readonly name: string }
  | { readonly tells: 'begun' }
  | { readonly tells: 'round'; readonly round: number }
  | { readonly tells: 'raced'; readonly faults: readonly string[] }
  | { readonly tells: 'outcome'; readonly key: string; readonly outcome: string }

const PROGRAM = new URL('waking.program.ts', import.meta.url)

/** A thread or process with the cache open, which sleeps until it is woken: its timers hardly ever end. */
export class Sleeper {
  readonly reports: SleeperReport[] = []
  /** The exit code, or the signal, once it ended. */
  ended: unknown
  readonly #send: (order: SleeperOrder) => void
  readonly #end: () => unknown

  constructor(setup: SleeperSetup, apart: 'thread' | 'process') {
    const receive = (report: SleeperReport): void => void this.reports.push(report)
    const end = (code: unknown, signal?: unknown): void => void (this.ended = code ?? signal)
    if (apart === 'thread') {
      const worker = new Worker(new URL('../support/typescript-worker.js', import.meta.url), {
        workerData: { entry: workerCode(PROGRAM).href, ...setup },
      })
      worker.on('message', receive).on('exit', end)
      this.#send = (order) => worker.postMessage(order)
      this.#end = () => worker.terminate()
    } else {
      const { path, execArgv } = processCode(PROGRAM)
      const child = fork(path, [JSON.stringify(setup)], { execArgv })
      child.on('message', receive).on('exit', end)
      this.#send = (order) => child.send(order)
      this.#end = () => child.kill('SIGKILL')
    }
  }

  order(order: SleeperOrder): void {
    this.#send(order)
  }

  /** Waits for as many reports of a kind since the last time. */
  async hear<Kind extends SleeperReport['tells']>(
    kind: Kind,
    number = 1,
  ): Promise<Extract<SleeperReport, { tells: Kind }>[]> {
    const heard = (): SleeperReport[] => this.reports.filter(({ tells }) => tells === kind)
    await until(
      `${number} reports "${kind}", of which ${heard().length} came`,
      () => heard().length >= number || this.ended !== undefined,
      () => this.reports.length,
    )
    const found = heard().slice(0, number)
    for (const report of found) this.reports.splice(this.reports.indexOf(report), 1)
    if (found.length < number) throw new Error(`the member ended with ${String(this.ended)} before it told "${kind}"`)
    return found as Extract<SleeperReport, { tells: Kind }>[]
  }

  /** Ends it in whatever it does: a thread by terminate(), a process by a signal. */
  async kill(): Promise<void> {
    this.#end()
    await until('the end of a member', () => this.ended !== undefined)
  }
}
