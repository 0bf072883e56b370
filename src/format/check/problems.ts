/** A damaged region breaks its invariants by the thousand; the first ones tell enough. */
const MAX_PROBLEMS = 100

/** What a verification found: a line for each problem, up to a hundred. */
export class Problems {
  readonly lines: string[] = []

  add(line: string): void {
    if (!this.isFull) this.lines.push(line)
  }

  get isFull(): boolean {
    return this.lines.length === MAX_PROBLEMS
  }
}
