import type { StoreHost } from '../contenders/contender.js'
import type { Chart } from '../report/chart.js'
import type { Verdict } from './targets.js'

/** Settings that a case is run with. */
export interface Run extends StoreHost {
  readonly quick: boolean
  readonly seed: number
  /** Folder with access traces; undefined for none. */
  readonly traces: string | undefined
  /** Tells the user what is being done. */
  readonly progress: (doing: string) => void
}

/** Cells are text, ready to be shown; the first column names the row. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Findings {
  readonly tables: readonly Table[]
  readonly charts: readonly Chart[]
  readonly verdicts: readonly Verdict[]
  /** Parts that could not be measured, and why. */
  readonly omissions: readonly string[]
}

/** One benchmark. */
export interface Case {
  /** Name that `--only` takes. */
  readonly name: string
  readonly title: string
  /** How it is measured, for the report: Markdown. */
  readonly method: string
  run(run: Run): Promise<Findings>
}
