import type { Policy, PolicyKind } from '../policy.js'
import { Queue } from '../queue.js'
import { FrequencySketch } from '../frequency-sketch.js'

/** Share of the capacity. */
const WINDOW_SHARE = 0.01
/** Share of the part that is not the window. */
const PROTECTED_SHARE = 0.8

/**
 * Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM ToS 2017; with a fixed
 * window.
 */
export const wTinyLfu: PolicyKind = { name: 'W-TinyLFU', create: (capacity, _, keys) => new WTinyLfu(capacity, keys) }

class WTinyLfu implements Policy {
  private readonly window: Queue
  private readonly probation: Queue
  private readonly protected: Queue
  private readonly sketch: FrequencySketch
  private readonly windowCapacity: number
  private readonly mainCapacity: number
  private readonly protectedCapacity: number

  constructor(capacity: number, keys: number) {
    this.window = new Queue(keys)
    this.probation = new Queue(keys)
    this.protected = new Queue(keys)
    this.sketch = new FrequencySketch(capacity)
    this.windowCapacity = Math.max(1, Math.floor(capacity * WINDOW_SHARE))
    this.mainCapacity = capacity - this.windowCapacity
    this.protectedCapacity = Math.floor(this.mainCapacity * PROTECTED_SHARE)
  }

  access(key: number): boolean {
    const { window, probation, sketch } = this
    sketch.add(key)
    if (window.has(key)) {
      window.moveToNewest(key)
      return true
    }
    if (this.protected.has(key)) {
      this.protected.moveToNewest(key)
      return true
    }
    if (probation.has(key)) {
      probation.remove(key)
      this.protected.push(key)
      if (this.protected.size > this.protectedCapacity) probation.push(this.protected.shift())
      return true
    }
    window.push(key)
    if (window.size > this.windowCapacity) this.admit(window.shift())
    return false
  }

  private admit(candidate: number): void {
    const { probation, sketch } = this
    if (probation.size + this.protected.size < this.mainCapacity) {
      probation.push(candidate)
      return
    }
    const from = probation.size > 0 ? probation : this.protected
    if (from.size === 0 || sketch.estimate(candidate) <= sketch.estimate(from.oldest)) return
    from.shift()
    probation.push(candidate)
  }
}
