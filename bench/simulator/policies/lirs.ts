import type { Policy, PolicyKind } from '../policy.js'
import { Queue } from '../queue.js'

/** Share of the capacity, for keys with a long inter-reference recency (HIR). */
const HIR_SHARE = 0.01

/** Jiang and Zhang, "LIRS: an efficient low inter-reference recency set replacement policy", SIGMETRICS 2002. */
export const lirs: PolicyKind = { name: 'LIRS', create: (capacity, _, keys) => new Lirs(capacity, keys) }

class Lirs implements Policy {
  /** By recency: LIR keys, and HIR keys, held or not, used more recently than the oldest LIR key. */
  private readonly stack: Queue
  /** HIR keys that are held. */
  private readonly resident: Queue
  private readonly lir: Uint8Array
  private readonly lirCapacity: number
  private readonly hirCapacity: number
  private lirSize = 0

  constructor(capacity: number, keys: number) {
    this.stack = new Queue(keys)
    this.resident = new Queue(keys)
    this.lir = new Uint8Array(keys)
    this.hirCapacity = Math.max(1, Math.floor(capacity * HIR_SHARE))
    this.lirCapacity = capacity - this.hirCapacity
  }

  access(key: number): boolean {
    const { stack, resident, lir } = this
    if (lir[key] === 1) {
      stack.moveToNewest(key)
      this.prune()
      return true
    }
    const hit = resident.has(key)
    if (hit) resident.remove(key)
    else if (this.lirSize < this.lirCapacity) {
      lir[key] = 1
      this.lirSize++
      stack.push(key)
      return false
    } else if (resident.size === this.hirCapacity) resident.shift()
    if (stack.has(key)) {
      stack.moveToNewest(key)
      lir[key] = 1
      this.lirSize++
      if (this.lirSize > this.lirCapacity) this.demote()
    } else {
      stack.push(key)
      resident.push(key)
      this.prune()
    }
    return hit
  }

  private demote(): void {
    const oldest = this.stack.shift()
    this.lir[oldest] = 0
    this.lirSize--
    this.resident.push(oldest)
    this.prune()
  }

  private prune(): void {
    while (this.stack.size > 0 && this.lir[this.stack.oldest] === 0) this.stack.shift()
  }
}
