/** Samples of something that must not grow once it has warmed up. */
export class Trend {
  readonly samples: number[] = []

  /** @param tolerance growth that is chance, in the unit of the samples */
  constructor(
    readonly name: string,
    readonly tolerance: number,
  ) {}

  add(sample: number): void {
    this.samples.push(sample)
  }

  get last(): number {
    return this.samples.at(-1) ?? 0
  }

  /**
   * By how much the median of the last third is above that of the second; 0 while there are fewer than nine samples.
   */
  get growth(): number {
    const third = Math.floor(this.samples.length / 3)
    if (third < 3) return 0
    return median(this.samples.slice(-third)) - median(this.samples.slice(-2 * third, -third))
  }

  fault(): string | undefined {
    if (this.growth <= this.tolerance) return undefined
    return `${this.name} grew by ${this.growth}: ${this.samples.join(', ')}`
  }
}

function median(samples: readonly number[]): number {
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]
}
