import type { Policy, PolicyKind } from '../policy.js'
import { Queue } from '../queue.js'

/** Megiddo and Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003. */
export const arc: PolicyKind = { name: 'ARC', create: (capacity, _, keys) => new Arc(capacity, keys) }

class Arc implements Policy {
  /** Seen once lately: held, and remembered. */
  private readonly t1: Queue
  private readonly b1: Queue
  /** Seen twice or more: held, and remembered. */
  private readonly t2: Queue
  private readonly b2: Queue
  /** The number of keys that t1 should hold. */
  private target = 0

  constructor(
    private readonly capacity: number,
    keys: number,
  ) {
    this.t1 = new Queue(keys)
    this.b1 = new Queue(keys)
    this.t2 = new Queue(keys)
    this.b2 = new Queue(keys)
  }

  access(key: number): boolean {
    const { capacity, t1, b1, t2, b2 } = this
    if (t1.has(key)) {
      t1.remove(key)
      t2.push(key)
      return true
    }
    if (t2.has(key)) {
      t2.moveToNewest(key)
      return true
    }
    if (b1.has(key)) {
      this.target = Math.min(capacity, this.target + Math.max(1, b2.size / b1.size))
      this.replace(false)
      b1.remove(key)
      t2.push(key)
    } else if (b2.has(key)) {
      this.target = Math.max(0, this.target - Math.max(1, b1.size / b2.size))
      this.replace(true)
      b2.remove(key)
      t2.push(key)
    } else {
      if (t1.size + b1.size === capacity) {
        if (t1.size < capacity) {
          b1.shift()
          this.replace(false)
        } else {
          t1.shift()
        }
      } else if (t1.size + t2.size + b1.size + b2.size >= capacity) {
        if (t1.size + t2.size + b1.size + b2.size === 2 * capacity) b2.shift()
        this.replace(false)
      }
      t1.push(key)
    }
    return false
  }

  private replace(rememberedTwice: boolean): void {
    const { t1, b1, t2, b2, target } = this
    if (t1.size + t2.size < this.capacity) return
    if (t1.size > 0 && (t1.size > target || (rememberedTwice && t1.size === Math.floor(target)) || t2.size === 0)) {
      b1.push(t1.shift())
    } else b2.push(t2.shift())
  }
}
