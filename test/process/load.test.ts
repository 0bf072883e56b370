import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConcurrentCache } from '../../src/index.js'
import { FairClock } from '../support/fair-clock.js'
import { lineups, scaled } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { expectSound } from '../support/sound.js'
import { processCode } from '../support/worker-code.js'

export interface LoadOrder {
  readonly key: string
  /** Of getOrLoad, at once. */
  readonly calls: number
  /** What the loader takes. */
  readonly ms: number
  /** What it throws. */
  readonly error?: string
}

export type LoadReport =
  | { readonly tells: 'ready' }
  /** Its loader runs. */
  | { readonly tells: 'called' }
  | { readonly tells: 'values'; readonly values: readonly string[] }

const PROCESSES = 4
const CALLS = 100
/**
 * Waiters ask every 50 ms whether the loader's thread lives. A load has 30 seconds by default.
 */
const SOON_MS = 8000

const { path, execArgv } = processCode(new URL('load.program.ts', import.meta.url))

/** A process with the cache open. */
class Loader {
  readonly child: ChildProcess
  readonly #reports: LoadReport[] = []
  readonly #awaited = new Set<() => void>()

  constructor(file: string, engine: string) {
    this.child = fork(path, [file, engine], { execArgv })
    this.child.on('message', (report: LoadReport) => {
      this.#reports.push(report)
      for (const look of this.#awaited) look()
    })
  }

  get calls(): number {
    return this.#reports.filter(({ tells }) => tells === 'called').length
  }

  /** The first report of a kind since the last {@link Loader.order}. */
  hear<Kind extends LoadReport['tells']>(kind: Kind): Promise<Extract<LoadReport, { tells: Kind }>> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.#reports.find(({ tells }) => tells === kind)
        if (found === undefined) return
        this.#awaited.delete(look)
        resolve(found as Extract<LoadReport, { tells: Kind }>)
      }
      this.#awaited.add(look)
      look()
    })
  }

  order(order: LoadOrder): void {
    this.#reports.length = 0
    this.child.send(order)
  }

  async values(): Promise<readonly string[]> {
    const { values } = await this.hear('values')
    return values
  }
}

describe.each(lineups)('processes that load one key ($name)', (lineup) => {
  let scratch: Scratch
  let cache: ConcurrentCache<string, string>
  let loaders: Loader[]

  beforeEach(async () => {
    scratch = new Scratch()
    const file = scratch.file()
    cache = new ConcurrentCache({ file, engine: lineup.engineOf(0), maxBytes: 4 * 2 ** 20 })
    loaders = Array.from({ length: PROCESSES }, (_, i) => new Loader(file, lineup.engineOf(i)))
    await Promise.all(loaders.map((loader) => loader.hear('ready')))
  })

  afterEach(async () => {
    const left = loaders.filter(({ child }) => child.exitCode === null && child.signalCode === null)
    const ends = left.map(({ child }) => once(child, 'exit'))
    for (const { child } of left) child.disconnect()
    await Promise.all(ends)
    cache.repair()
    expectSound(cache)
    cache.close()
    scratch[Symbol.dispose]()
  })

  const called = (): number => loaders.reduce((sum, { calls }) => sum + calls, 0)

  test('run one loader for all calls, and all get its value', async () => {
    for (let round = 0; round < scaled(5); round++) {
      const before = cache.stats().counters.loads
      const key = `key ${round}`
      for (const loader of loaders) loader.order({ key, calls: CALLS, ms: 50 })
      const values = (await Promise.all(loaders.map((loader) => loader.values()))).flat()
      expect(values).toHaveLength(PROCESSES * CALLS)
      expect(called()).toBe(1)
      const { pid } = loaders.find(({ calls }) => calls === 1)!.child
      expect(new Set(values)).toEqual(new Set([`loaded by ${pid}`]))
      expect(cache.get(key)).toBe(`loaded by ${pid}`)
      expect(cache.stats().counters.loads - before).toBe(1)
    }
  })

  test('never tell a failure to a call that begins after it was known', async () => {
    const failures: string[] = []
    for (let round = 0; round < scaled(100); round++) {
      const key = `key ${round}`
      const [first, second] = [loaders[round % PROCESSES], loaders[(round + 1) % PROCESSES]]
      first.order({ key, calls: 1, ms: 0, error: 'old' })
      expect(await first.values()).toEqual(['Error: old'])
      second.order({ key, calls: 1, ms: 0 })
      failures.push(...(await second.values()).filter((value) => value !== `loaded by ${second.child.pid}`))
    }
    expect(failures).toEqual([])
  })

  test('soon run another one if a process is killed in its loader', async () => {
    const [first, ...others] = loaders
    first.order({ key: 'key', calls: 10, ms: 600_000 })
    await first.hear('called')
    for (const loader of others) loader.order({ key: 'key', calls: CALLS, ms: 50 })
    await expect(Promise.race([...others.map((loader) => loader.values()), pause(300)])).resolves.toBeUndefined()
    expect(called()).toBe(1)

    const clock = new FairClock()
    first.child.kill('SIGKILL')
    const values = (await Promise.all(others.map((loader) => loader.values()))).flat()
    expect(clock.now()).toBeLessThan(SOON_MS)
    expect(values).toHaveLength(others.length * CALLS)
    expect(called()).toBe(2)
    const { pid } = others.find(({ calls }) => calls === 1)!.child
    expect(new Set(values)).toEqual(new Set([`loaded by ${pid}`]))
    expect(cache.get('key')).toBe(`loaded by ${pid}`)
  })
})

function pause(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ms))
}
