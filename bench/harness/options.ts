import { parseArgs } from 'node:util'
import { BenchError } from './bench-error.js'

export interface BenchOptions {
  readonly help: boolean
  /** Small sizes and short rounds: shows that everything runs, not how fast it is. */
  readonly quick: boolean
  /** Names of the cases to run; empty for all. */
  readonly only: readonly string[]
  /** Decides everything random. */
  readonly seed: number
  /** Folder with access traces; undefined for none. */
  readonly traces: string | undefined
  /** Markdown file to write the report to; undefined for none. */
  readonly report: string | undefined
  /** File to write all tables to, as JSON; undefined for none. */
  readonly json: string | undefined
}

/** Where a full run leaves its report. */
export const REPORT = 'docs/benchmarks.md'

const DEFAULT_SEED = 1
const MAX_SEED = 2 ** 32 - 1

export function usage(cases: readonly string[]): string {
  return `Usage: npm run bench -- [options]

  --quick        small and short, to see that everything works; too short for verdicts
  --only NAME    one case, may be given several times: ${cases.join(', ')}
  --report FILE  write the report to FILE, which ends in .md, and its plots beside it
                 (default: ${REPORT} after a full run, none with --quick or --only)
  --json FILE    write all tables to FILE, to compare them with those of another revision
  --seed N       integer from 0 to ${MAX_SEED}, decides everything random (default ${DEFAULT_SEED})
  --traces DIR   folder with access traces for hit-ratio: files *.txt.gz, one key a line (default: made-up ones)
  --help`
}

/** @throws BenchError for an unknown option or case, or a value out of range */
export function parseOptions(parameters: readonly string[], cases: readonly string[]): BenchOptions {
  const given = parse(parameters)
  const only = given.only ?? []
  const unknown = only.find((name) => !cases.includes(name))
  if (unknown !== undefined) throw new BenchError(`--only is '${unknown}'; expected one of ${cases.join(', ')}`)
  const quick = given.quick ?? false
  const { report = quick || only.length > 0 ? undefined : REPORT } = given
  if (report !== undefined && !/.\.md$/.test(report)) {
    throw new BenchError(`--report is '${report}'; expected a file name that ends in .md`)
  }
  return {
    help: given.help ?? false,
    quick,
    only,
    seed: parseSeed(given.seed),
    traces: given.traces,
    report,
    json: given.json,
  }
}

interface GivenOptions {
  help?: boolean | undefined
  quick?: boolean | undefined
  only?: string[] | undefined
  report?: string | undefined
  seed?: string | undefined
  traces?: string | undefined
  json?: string | undefined
}

function parse(parameters: readonly string[]): GivenOptions {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        help: { type: 'boolean' },
        quick: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        report: { type: 'string' },
        seed: { type: 'string' },
        traces: { type: 'string' },
        json: { type: 'string' },
      },
    }).values
  } catch (error) {
    // Some of Node's messages go on in a second sentence about positional arguments, which this program has none of.
    const [sentence] = (error as Error).message.split(/\.\s|\n/)
    throw new BenchError(`${sentence.replace(/\.$/, '')}; --help lists the options`)
  }
}

function parseSeed(given: string | undefined): number {
  if (given === undefined) return DEFAULT_SEED
  const seed = /^\d+$/.test(given) ? Number(given) : NaN
  if (seed <= MAX_SEED) return seed
  throw new BenchError(`--seed is '${given}'; expected an integer from 0 to ${MAX_SEED}`)
}
