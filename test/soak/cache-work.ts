import { ConcurrentCache, type CacheHandle } from '../../src/index.js'
import { faultOf, tellingValue } from '../support/telling-value.js'
import { attachOptions, CACHED, MOST_ENTRIES, type Kind } from './plan.js'
import type { Watch } from './watch.js'

/** A process may be stopped over an expiry, and Date.now() tells whole milliseconds. */
const EXPIRY_GRACE_MS = 12
const LONGEST_TTL_MS = 3000

/** What a member does with a ConcurrentCache that is too small for all its keys, and what it demands of it. */
export class CacheWork {
  #cache: ConcurrentCache<number, unknown> | undefined

  constructor(
    private readonly watch: Watch,
    private readonly handle: CacheHandle,
    /** Whether it is the one of MOST_ENTRIES. */
    private readonly isBounded: boolean,
  ) {}

  open(): void {
    const near = this.watch.random.chance(0.5)
    this.#cache = ConcurrentCache.attach(this.handle, attachOptions(this.watch.post.engine, near))
  }

  close(): void {
    this.#cache!.close()
  }

  act(): void {
    const { random } = this.watch
    const choice = random.below(1000)
    // Some keys are used more than others.
    const key = Math.floor(CACHED * random.next() ** 3)
    if (choice < 550) this.#get(key)
    else if (choice < 850) this.#set(key)
    else if (choice < 950) this.#attempt('touch', key, (cache) => cache.touch(key, this.#ttl()))
    else if (choice < 995) this.#attempt('delete', key, (cache) => cache.delete(key))
    else if (choice < 997) this.#iterate()
    else if (choice < 999) this.#snapshot()
    else if (random.chance(0.1)) this.#attempt('clear', 'all', (cache) => cache.clear())
  }

  #attempt(kind: Kind, key: number | string, action: (cache: ConcurrentCache<number, unknown>) => void): void {
    this.watch.call(kind, key, () => action(this.#cache!))
  }

  #ttl(): number {
    return 1 + this.watch.random.below(LONGEST_TTL_MS)
  }

  #set(key: number): void {
    const { random } = this.watch
    const value = tellingValue(key, random.below(2 ** 30))
    this.#attempt('cache set', key, (cache) => {
      if (random.chance(0.3)) cache.set(key, value)
      else cache.set(key, value, { ttl: this.#ttl() })
    })
  }

  /** The value must belong to its key and be whole, and its time must not be over. */
  #get(key: number): void {
    this.#attempt('cache get', key, (cache) => {
      const before = Date.now()
      if (this.watch.random.chance(0.5)) {
        const value = cache.get(key)
        if (value !== undefined) this.#check(key, value)
        return
      }
      const entry = cache.getEntry(key)
      if (entry === undefined) return
      this.#check(key, entry.value)
      const late = before - (entry.expiresAt ?? Infinity)
      if (late > EXPIRY_GRACE_MS) this.watch.fail(`cached key ${key} was read ${late} ms after it expired`)
    })
  }

  #iterate(): void {
    this.#attempt('iteration', 'cache', (cache) => {
      for (const [key, value] of cache) this.#check(key, value)
    })
  }

  /** Its size is exact at one instant, unlike that of the cache, and so is the bound. */
  #snapshot(): void {
    this.#attempt('snapshot', 'cache', (cache) => {
      const snapshot = cache.snapshot()
      const { bytesInUse, bytesTotal } = cache.stats()
      for (const [key, value] of snapshot) this.#check(key, value)
      if (this.isBounded && snapshot.size > MOST_ENTRIES) this.watch.fail(`cache: ${snapshot.size} entries`)
      if (bytesInUse > bytesTotal) this.watch.fail(`cache: ${bytesInUse} bytes of ${bytesTotal}`)
    })
  }

  #check(key: number, value: unknown): void {
    const fault = faultOf(key, value)
    if (fault !== undefined) this.watch.fail(`cache: ${fault}`)
  }
}
