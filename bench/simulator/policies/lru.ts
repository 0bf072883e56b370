import type { Policy, PolicyKind } from '../policy.js'
import { Queue } from '../queue.js'

export const lru: PolicyKind = { name: 'LRU', create: (capacity, _, keys) => new Lru(capacity, keys) }

class Lru implements Policy {
  private readonly queue: Queue

  constructor(
    private readonly capacity: number,
    keys: number,
  ) {
    this.queue = new Queue(keys)
  }

  access(key: number): boolean {
    if (this.queue.has(key)) {
      this.queue.moveToNewest(key)
      return true
    }
    if (this.queue.size === this.capacity) this.queue.shift()
    this.queue.push(key)
    return false
  }
}
