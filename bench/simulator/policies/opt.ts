import type { Policy, PolicyKind } from '../policy.js'

/**
 * Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems Journal 1966: looks ahead.
 */
export const opt: PolicyKind = { name: 'OPT', create: (capacity, accesses, keys) => new Opt(capacity, accesses, keys) }

class Opt implements Policy {
  /** For each access, when its key is accessed next. */
  private readonly next: Float64Array
  /** For each key that is held, when it is accessed next; -1 for the others. */
  private readonly due: Float64Array
  /** A binary heap of those times, the farthest on top; may hold outdated ones. */
  private readonly heap: { due: number; key: number }[] = []
  private time = 0
  private size = 0

  constructor(
    private readonly capacity: number,
    accesses: Uint32Array,
    keys: number,
  ) {
    this.due = new Float64Array(keys).fill(-1)
    this.next = new Float64Array(accesses.length)
    const later = new Float64Array(keys).fill(Infinity)
    for (let time = accesses.length - 1; time >= 0; time--) {
      this.next[time] = later[accesses[time]]
      later[accesses[time]] = time
    }
  }

  access(key: number): boolean {
    const hit = this.due[key] !== -1
    if (!hit && ++this.size > this.capacity) this.evict()
    this.due[key] = this.next[this.time++]
    this.push({ due: this.due[key], key })
    return hit
  }

  private evict(): void {
    for (;;) {
      const { due, key } = this.pop()
      if (this.due[key] !== due) continue
      this.due[key] = -1
      this.size--
      return
    }
  }

  private push(item: { due: number; key: number }): void {
    const { heap } = this
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (heap[parent].due >= item.due) break
      heap[at] = heap[parent]
      at = parent
    }
    heap[at] = item
  }

  private pop(): { due: number; key: number } {
    const { heap } = this
    const top = heap[0]
    const item = heap.pop()!
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1].due > heap[child].due) child++
      if (item.due >= heap[child].due) break
      heap[at] = heap[child]
      at = child
    }
    if (heap.length > 0) heap[at] = item
    return top
  }
}
