import type { Policy, PolicyKind } from '../policy.js'
import { Queue } from '../queue.js'

/** Zhang et al., "SIEVE is simpler than LRU", NSDI 2024. */
export const sieve: PolicyKind = { name: 'SIEVE', create: (capacity, _, keys) => new Sieve(capacity, keys) }

class Sieve implements Policy {
  private readonly queue: Queue
  private readonly visited: Uint8Array
  private hand = -1

  constructor(
    private readonly capacity: number,
    keys: number,
  ) {
    this.queue = new Queue(keys)
    this.visited = new Uint8Array(keys)
  }

  access(key: number): boolean {
    if (this.queue.has(key)) {
      this.visited[key] = 1
      return true
    }
    if (this.queue.size === this.capacity) this.evict()
    this.queue.push(key)
    this.visited[key] = 0
    return false
  }

  private evict(): void {
    const { queue, visited } = this
    let victim = this.hand === -1 ? queue.oldest : this.hand
    while (visited[victim] === 1) {
      visited[victim] = 0
      victim = queue.after(victim)
      if (victim === -1) victim = queue.oldest
    }
    this.hand = queue.after(victim)
    queue.remove(victim)
  }
}
