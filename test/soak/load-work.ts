import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache, MapsafeError, type CacheHandle } from '../../src/index.js'
import { attachOptions, loadKey, LOADED, LOADED_FOR_GOOD } from './plan.js'
import type { Watch } from './watch.js'

/** What a loader of this soak returns. */
export interface Loaded {
  readonly key: string
  /** Deletions of the key begun when the loader was called. */
  readonly generation: number
  readonly filling: string
}

const MOST_AT_ONCE = 6
const FAILING = 0.1
const SLOW = 0.05
const SLOW_MS = 400
const USUAL_MS = 15
const SHORT_TTL_MS = 60
/** Far longer than any loader or stop here, so that no load is taken over from one that lives. */
const TIMEOUT_MS = 120_000

/**
 * What a member does with getOrLoad, and what it demands of it: one loader at a time, once for each generation of a
 * key.
 */
export class LoadWork {
  #cache: ConcurrentCache<string, Loaded> | undefined
  readonly #running = new Set<Promise<void>>()
  /** By key: loaders of this member that began. */
  readonly #begun = new Int32Array(LOADED)

  constructor(
    private readonly watch: Watch,
    private readonly handle: CacheHandle,
  ) {}

  open(): void {
    const near = this.watch.random.chance(0.5)
    this.#cache = ConcurrentCache.attach(this.handle, attachOptions(this.watch.post.engine, near))
  }

  close(): void {
    this.#cache!.close()
  }

  /** All loads that this member waits for. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  act(): void {
    const { random } = this.watch
    const index = random.below(LOADED)
    if (random.chance(0.04)) this.#delete([index])
    else if (random.chance(0.001)) this.#delete(Array.from({ length: LOADED }, (_, i) => i))
    else if (this.#running.size < MOST_AT_ONCE) {
      const load = this.#load(index).finally(() => this.#running.delete(load))
      this.#running.add(load)
    }
  }

  /** One key, or all of them by `clear`. */
  #delete(indexes: readonly number[]): void {
    const { ledger } = this.watch
    const generations = indexes.map((index) => Atomics.add(ledger.generation, index, 1) + 1)
    const all = indexes.length > 1
    const done = this.watch.call(all ? 'clear' : 'delete', all ? 'loaded' : loadKey(indexes[0]), () => {
      if (all) this.#cache!.clear()
      else this.#cache!.delete(loadKey(indexes[0]))
    })
    if (done) for (const [i, index] of indexes.entries()) raise(ledger.deleted, index, generations[i])
  }

  async #load(index: number): Promise<void> {
    const { watch } = this
    const key = loadKey(index)
    const me = watch.ledger.nameOf(watch.post.slot)
    const deleted = Atomics.load(watch.ledger.deleted, index)
    const stops = Atomics.load(watch.ledger.stops, watch.post.process)
    const began = performance.now()
    let own = 0
    const loader = (): Promise<Loaded> => {
      own = ++this.#begun[index]
      return watch.ledger.tallied(() => this.#loader(index))
    }
    try {
      const options = index < LOADED_FOR_GOOD ? { timeout: TIMEOUT_MS } : { timeout: TIMEOUT_MS, ttl: SHORT_TTL_MS }
      const value = await this.#cache!.getOrLoad(key, loader, options)
      if (value.key !== key) watch.fail(`loaded key ${key} has the value of ${value.key}`)
      if (value.generation < deleted) {
        watch.fail(`key ${key} was loaded in generation ${value.generation}, before a deletion in ${deleted}`)
      }
    } catch (error) {
      this.#judge(key, error)
    }
    // Not for another call's loader, whose value is not stored yet.
    if (own !== 0 && own === this.#begun[index]) Atomics.compareExchange(watch.ledger.storer, index, me, 0)
    if (Atomics.load(watch.ledger.stops, watch.post.process) === stops) {
      watch.ledger.record(watch.post.slot, 'load', performance.now() - began)
    }
  }

  #judge(key: string, error: unknown): void {
    const { ledger, post } = this.watch
    if (error instanceof Error && error.message === `no ${key} today`) return
    if (error instanceof MapsafeError && error.code === 'ERR_MAPSAFE_TIMEOUT') {
      Atomics.add(ledger.timeouts, post.slot, 1)
      if (ledger.excused) return
    }
    this.watch.fail(
      `getOrLoad of ${key} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
  }

  async #loader(index: number): Promise<Loaded> {
    const { ledger, random, post } = this.watch
    const key = loadKey(index)
    const me = ledger.nameOf(post.slot)
    const generation = Atomics.load(ledger.generation, index)
    const other = Atomics.exchange(ledger.loader, index, me)
    if (other !== 0 && !ledger.isGone(other)) {
      this.watch.fail(`two loaders of ${key} at once: also one of member ${(other & 0x7f) - 1}`)
    }
    const unstored = Atomics.exchange(ledger.storer, index, me)
    if (unstored !== 0 && ledger.isGone(unstored)) Atomics.add(ledger.lostLoads, index, 1)
    Atomics.add(ledger.loads, index, 1)
    try {
      await sleep(random.chance(SLOW) ? SLOW_MS : random.below(USUAL_MS))
      if (random.chance(FAILING)) {
        Atomics.add(ledger.lostLoads, index, 1)
        throw new Error(`no ${key} today`)
      }
      return { key, generation, filling: 'f'.repeat(random.below(500)) }
    } finally {
      Atomics.compareExchange(ledger.loader, index, me, 0)
    }
  }
}

function raise(words: Int32Array, index: number, to: number): void {
  for (let found = Atomics.load(words, index); found < to;) {
    found = Atomics.compareExchange(words, index, found, to)
  }
}
