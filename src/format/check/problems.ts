/**
 * Most problems that are listed: a damaged region breaks its invariants by the thousand, and the first ones suffice.
 */
const MAX_PROBLEMS = 100

/** The result of a verification: a line for each problem, up to a hundred. */
export class Problems {
  readonly lines: string[] = []

  add(line: string): void {
    if (!this.isFull) this.lines.push(line)
  }

  get isFull(): boolean {
    return this.lines.length === MAX_PROBLEMS
  }
}
