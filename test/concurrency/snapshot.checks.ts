import type { ConcurrentMap } from '../../src/index.js'

/** Takes snapshots and tells what they do not keep of their promises. */
export interface Check {
  /** One snapshot. */
  look(): string[]
}

/**
 * Of maps that `writeInOrder` of snapshot.tasks.ts writes: with what a thread wrote, a snapshot has all that it wrote
 * before.
 */
export class OrderCheck implements Check {
  /** How often a worker had got on since the last snapshot. */
  progress = 0
  private readonly last: number[]

  constructor(
    private readonly map: ConcurrentMap<string, number>,
    private readonly writers: number,
  ) {
    this.last = new Array<number>(writers).fill(0)
  }

  look(): string[] {
    const { map, last } = this
    const before = this.read('c')
    const snapshot = map.snapshot()
    const after = this.read('a')
    const found = new Map(snapshot)
    const faults: string[] = []
    const demand = (holds: boolean, what: string): void => {
      if (!holds) faults.push(what)
    }
    demand(found.size === snapshot.size, `${found.size} entries in a snapshot of size ${snapshot.size}`)
    for (let worker = 0; worker < this.writers; worker++) {
      const [a, b, c] = ['a', 'b', 'c'].map((name) => found.get(`${name}${worker}`) ?? 0)
      demand(a >= b && b >= c && a - c <= 1, `worker ${worker} wrote a, b and c in turn, but found is ${a}, ${b}, ${c}`)
      demand(c >= before[worker], `worker ${worker}: ${before[worker]} was read before the call, but found is ${c}`)
      demand(a <= after[worker], `worker ${worker}: ${after[worker]} was read after the call, but found is ${a}`)
      demand(c >= last[worker], `worker ${worker}: ${c} is older than the last snapshot's ${last[worker]}`)
      if (c > last[worker]) this.progress++
      last[worker] = c
    }
    return faults
  }

  private read(name: string): number[] {
    return this.last.map((_, worker) => this.map.get(`${name}${worker}`) ?? 0)
  }
}

/** Of maps that `transfer` of snapshot.tasks.ts writes: an amount on its way is seen at most once. */
export class TransitCheck implements Check {
  constructor(
    private readonly map: ConcurrentMap<string, number>,
    private readonly writers: number,
    private readonly total: number,
  ) {}

  look(): string[] {
    const found = new Map(this.map.snapshot())
    let sum = found.get('from')! + found.get('to')!
    for (let worker = 0; worker < this.writers; worker++) sum += found.get(`in transit ${worker}`) ?? 0
    // Each worker has at most one amount, of at most 9, between two keys.
    return sum <= this.total && sum >= this.total - this.writers * 9 ? [] : [`${sum} of ${this.total} are there`]
  }
}
