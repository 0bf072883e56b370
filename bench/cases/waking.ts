import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle, type EngineChoice } from 'mapsafe'
import type { Case, Findings, Run } from '../harness/case.js'
import { percentile } from '../harness/statistics.js'
import { count, duration } from '../report/format.js'

/** Where the cache of a member is. */
export type WakingSetup = { readonly engine: EngineChoice } & (
  { readonly file: string } | { readonly handle: CacheHandle }
)

export interface WakingOrder {
  readonly does: 'load' | 'wait' | 'poll' | 'end'
  readonly key: string
}

interface Report {
  readonly tells: 'ready' | 'begun' | 'loaded' | 'woken'
  readonly latency?: number
}

const WAITERS = 2
const MODULE = new URL('./waking.worker.js', import.meta.url)

/** Bounds of the histogram's bars, in nanoseconds; the last bar has no upper one. */
const BARS = [50e3, 100e3, 200e3, 300e3, 500e3, 1e6, 2e6, 3e6, 5e6, 10e6]

/** How the members are told apart from the caller, and where the memory is. */
const WAYS = [
  { name: 'threads, woken', apart: 'threads', inFile: false, does: 'wait' },
  { name: 'threads on a file, woken', apart: 'threads', inFile: true, does: 'wait' },
  { name: 'processes, woken', apart: 'processes', inFile: true, does: 'wait' },
  { name: 'threads, polling', apart: 'threads', inFile: false, does: 'poll' },
  { name: 'processes, polling', apart: 'processes', inFile: true, does: 'poll' },
] as const

/** A worker or process that loads or waits. */
class Member {
  readonly #send: (order: WakingOrder) => void
  readonly stop: () => Promise<unknown>
  readonly #reports: Report[] = []
  #hear: () => void = () => undefined
  #failure: Error | undefined

  constructor(setup: WakingSetup, apart: 'threads' | 'processes') {
    const receive = (report: Report): void => {
      this.#reports.push(report)
      this.#hear()
    }
    const fail = (error: unknown): void => {
      this.#failure = error instanceof Error ? error : new Error(`a member ended: ${String(error)}`)
      this.#hear()
    }
    if (apart === 'threads') {
      const worker = new Worker(MODULE, { workerData: setup })
      worker.on('message', receive).on('error', fail).on('exit', fail)
      this.#send = (order) => worker.postMessage(order)
      this.stop = () => worker.terminate()
    } else {
      const child = fork(fileURLToPath(MODULE), [JSON.stringify(setup)])
      child.on('message', (report) => receive(report as Report)).on('exit', fail)
      this.#send = (order) => child.send(order)
      this.stop = () =>
        new Promise((resolve) => {
          child.once('exit', resolve)
          child.disconnect()
        })
    }
  }

  order(order: WakingOrder): void {
    this.#send(order)
  }

  /** The next report, which must be of this kind. */
  async hear(kind: Report['tells']): Promise<Report> {
    while (this.#reports.length === 0) {
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((resolve) => (this.#hear = resolve))
    }
    const report = this.#reports.shift()!
    if (report.tells !== kind) throw new Error(`a member tells ${report.tells}, not ${kind}`)
    return report
  }
}

/** How soon a waiting call learns that another thread's load ended. */
export const waking: Case = {
  name: 'waking',
  title: 'The end of a load, told to others',
  method: `One thread or process loads a key, ${WAITERS} others wait for it by \`getOrLoad\`. Latency: from the loader's last step to the
first step of the code that awaits the value, by the clock that all processes share. *Polling*: the others look by \`get\` every 1 ms, then more seldom, up
to every 8 ms, as waiting calls did before they were woken. Each way has engines native and native.`,
  async run(run: Run): Promise<Findings> {
    const rounds = run.quick ? 3 : 200
    const latencies: Float64Array[] = []
    for (const way of WAYS) latencies.push(await measure(run, way, rounds))
    return {
      tables: [
        {
          title: `From the end of a load to ${WAITERS} waiting calls`,
          columns: ['', 'calls', 'p50', 'p90', 'p99', 'most'],
          rows: WAYS.map(({ name }, i) => [
            name,
            count(latencies[i].length),
            ...[50, 90, 99, 100].map((percent) => duration(percentile(latencies[i], percent))),
          ]),
        },
        {
          title: 'The same as a histogram: calls that took less',
          columns: ['', ...BARS.map((bar) => duration(bar)), 'more'],
          rows: WAYS.map(({ name }, i) => [name, ...histogram(latencies[i]).map((calls) => count(calls))]),
        },
      ],
      charts: [],
      verdicts: [],
      omissions: [],
    }
  },
}

/** @returns the latencies in nanoseconds, sorted */
async function measure(run: Run, way: (typeof WAYS)[number], rounds: number): Promise<Float64Array> {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-waking-'))
  const file = join(folder, 'cache')
  using cache = new ConcurrentCache<string, number>(way.inFile ? { file, maxBytes: 2 ** 22 } : { maxBytes: 2 ** 22 })
  const setup: WakingSetup = way.inFile ? { engine: 'native', file } : { engine: 'native', handle: cache.handle }
  const loader = new Member(setup, way.apart)
  const waiters = Array.from({ length: WAITERS }, () => new Member(setup, way.apart))
  const latencies: number[] = []
  try {
    await Promise.all([loader, ...waiters].map((member) => member.hear('ready')))
    for (let round = -5; round < rounds; round++) {
      run.progress(`${way.name}, ${round + 1} of ${rounds}`)
      const key = `key ${round}`
      loader.order({ does: 'load', key })
      await loader.hear('begun')
      for (const waiter of waiters) waiter.order({ does: way.does, key })
      await Promise.all(waiters.map((waiter) => waiter.hear('begun')))
      loader.order({ does: 'end', key })
      await loader.hear('loaded')
      const woken = await Promise.all(waiters.map((waiter) => waiter.hear('woken')))
      if (round >= 0) latencies.push(...woken.map(({ latency }) => latency!)) // the first warm up
    }
  } finally {
    await Promise.all([loader, ...waiters].map((member) => member.stop()))
    rmSync(folder, { recursive: true })
  }
  return Float64Array.from(latencies).sort()
}

function histogram(latencies: Float64Array): number[] {
  const bars = new Array<number>(BARS.length + 1).fill(0)
  for (const latency of latencies) {
    const bar = BARS.findIndex((bound) => latency < bound)
    bars[bar === -1 ? BARS.length : bar]++
  }
  return bars
}
