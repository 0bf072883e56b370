import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache, type CacheHandle } from '../../src/index.js'
import { TALLY_BULK, TALLY_FORCED } from './ledger.js'
import { attachOptions } from './plan.js'
import type { Watch } from './watch.js'

interface Loaded {
  readonly key: string
}

const KEYS = 24
const MOST_AT_ONCE = 4
const MOST_KEYS = 8
const FAILING = 0.1
const USUAL_MS = 15
const TTL_MS = 200
/** Far longer than any loader or stop here. */
const TIMEOUT_MS = 120_000

/**
 * What a member does with forced loads and loads in bulk, of keys of their own, and what it demands: each value belongs
 * to its key, and a call fails as its loader did or not at all.
 */
export class OptionWork {
  #cache: ConcurrentCache<string, Loaded> | undefined
  readonly #running = new Set<Promise<void>>()

  constructor(
    private readonly watch: Watch,
    private readonly handle: CacheHandle,
  ) {}

  open(): void {
    this.#cache = ConcurrentCache.attach(this.handle, attachOptions(this.watch.post.engine, true))
  }

  close(): void {
    this.#cache!.close()
  }

  /** All loads that this member waits for. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  act(): void {
    if (this.#running.size >= MOST_AT_ONCE) return
    const { random } = this.watch
    const keys = Array.from({ length: 1 + random.below(MOST_KEYS) }, () => `option:${random.below(KEYS)}`)
    const call = (random.chance(0.5) ? this.#force(keys[0]) : this.#loadMany(keys)).catch((error: unknown) => {
      if (!(error instanceof Error) || !/^no option:\d+ today$/.test(error.message)) {
        this.watch.fail(`a load of ${keys.join(', ')} threw ${String(error)}`)
      }
    })
    const running = call.finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #force(key: string): Promise<void> {
    const { watch } = this
    const loader = (): Promise<Loaded> => {
      watch.ledger.tally(TALLY_FORCED)
      return this.#loader(key)
    }
    const value = await this.#cache!.getOrLoad(key, loader, { forceRefresh: true, timeout: TIMEOUT_MS, ttl: TTL_MS })
    if (value.key !== key) watch.fail(`forced key ${key} has the value of ${value.key}`)
  }

  async #loadMany(keys: readonly string[]): Promise<void> {
    const { watch } = this
    const own: Promise<Loaded>[] = []
    try {
      const values = await this.#cache!.getManyOrLoad(
        keys,
        (missing) => {
          for (const key of missing) {
            watch.ledger.tally(TALLY_BULK)
            own.push(this.#loader(key))
          }
          return missing.map((key, i) => [key, own[own.length - missing.length + i]] as const)
        },
        { timeout: TIMEOUT_MS, ttl: TTL_MS },
      )
      for (const [i, value] of values.entries()) {
        if (value?.key !== keys[i]) watch.fail(`key ${keys[i]}, loaded in bulk, has the value of ${value?.key}`)
      }
    } finally {
      // One that failed rejects the call before the others have ended.
      await Promise.allSettled(own)
      await sleep(1)
    }
  }

  async #loader(key: string): Promise<Loaded> {
    const { ledger, random } = this.watch
    return ledger.tallied(async () => {
      await sleep(random.below(USUAL_MS))
      if (random.chance(FAILING)) throw new Error(`no ${key} today`)
      return { key }
    })
  }
}
