const ROWS = 4
const MAX_COUNT = 15
/** Additions for each entry of the capacity after which all counts are halved. */
const SAMPLE = 10

/** A count-min sketch with 4-bit counts that ages. */
export class FrequencySketch {
  private readonly counts: Uint8Array
  private readonly mask: number
  private readonly sample: number
  private additions = 0

  constructor(capacity: number) {
    const width = 2 ** Math.ceil(Math.log2(Math.max(8, capacity * 2)))
    this.counts = new Uint8Array(width * ROWS)
    this.mask = width - 1
    this.sample = SAMPLE * capacity
  }

  add(key: number): void {
    const { counts } = this
    for (let row = 0; row < ROWS; row++) {
      const at = this.index(key, row)
      if (counts[at] < MAX_COUNT) counts[at]++
    }
    if (++this.additions < this.sample) return
    this.additions >>>= 1
    for (let at = 0; at < counts.length; at++) counts[at] >>>= 1
  }

  estimate(key: number): number {
    let least = MAX_COUNT
    for (let row = 0; row < ROWS; row++) least = Math.min(least, this.counts[this.index(key, row)])
    return least
  }

  private index(key: number, row: number): number {
    let mixed = Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(row + 1, 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
    mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
    return row * (this.mask + 1) + ((mixed ^ (mixed >>> 15)) & this.mask)
  }
}
