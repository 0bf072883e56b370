import type { Policy, PolicyKind } from '../policy.js'
import { Queue } from '../queue.js'

/** Share of the capacity. */
const SMALL_SHARE = 0.1
/** Uses in the small queue that lead to the main one. */
const PROMOTION = 2
const MAX_USES = 3

/** Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023; details as in libCacheSim. */
export const s3Fifo: PolicyKind = { name: 'S3-FIFO', create: (capacity, _, keys) => new S3Fifo(capacity, keys) }

class S3Fifo implements Policy {
  private readonly small: Queue
  private readonly main: Queue
  private readonly ghost: Queue
  private readonly uses: Uint8Array
  private readonly smallCapacity: number
  private evicted = false

  constructor(
    private readonly capacity: number,
    keys: number,
  ) {
    this.small = new Queue(keys)
    this.main = new Queue(keys)
    this.ghost = new Queue(keys)
    this.uses = new Uint8Array(keys)
    this.smallCapacity = Math.max(1, Math.floor(capacity * SMALL_SHARE))
  }

  access(key: number): boolean {
    const { small, main, ghost, uses } = this
    if (small.has(key) || main.has(key)) {
      uses[key] = Math.min(MAX_USES, uses[key] + 1)
      return true
    }
    const returns = ghost.has(key)
    if (returns) ghost.remove(key)
    while (small.size + main.size >= this.capacity) this.evict()
    uses[key] = 0
    if (returns || (!this.evicted && small.size >= this.smallCapacity)) main.push(key)
    else small.push(key)
    return false
  }

  private evict(): void {
    this.evicted = true
    if (this.small.size === 0 || this.main.size > this.capacity - this.smallCapacity) this.evictMain()
    else this.evictSmall()
  }

  private evictSmall(): void {
    const { small, main, ghost, uses } = this
    while (small.size > 0) {
      const key = small.shift()
      if (uses[key] < PROMOTION) {
        ghost.push(key)
        if (ghost.size > this.capacity - this.smallCapacity) ghost.shift()
        return
      }
      uses[key] = 0
      main.push(key)
      if (main.size > this.capacity - this.smallCapacity) {
        this.evictMain()
        return
      }
    }
  }

  private evictMain(): void {
    const { main, uses } = this
    for (;;) {
      const key = main.shift()
      if (uses[key] === 0) return
      uses[key]--
      main.push(key)
    }
  }
}
