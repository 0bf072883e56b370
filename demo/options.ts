import { randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { DemoError } from './demo-error.js'

export interface DemoOptions {
  readonly help: boolean
  /** Worker threads that each cache has. */
  readonly workers: number
  /** How long both halves together take, without the time to start. */
  readonly seconds: number
  readonly seed: number
  /** File with one key a line; undefined for a generated trace. */
  readonly trace: string | undefined
}

export const USAGE = `Usage: npm run demo -- [options]

  --workers N    worker threads, 1 to 32 (default: the number of cores, at least 2 and at most 4)
  --seconds N    how long to run, 0.1 to 3600 (default 8)
  --trace FILE   replay the keys in FILE, one a line; FILE may end in .gz (default: a generated trace)
  --seed N       integer from 0 to 4294967295, decides everything random (default: a new one, which is printed)
  --help`

const MAX_SEED = 2 ** 32 - 1

/** @throws DemoError for an unknown option or a value out of range */
export function parseOptions(parameters: readonly string[]): DemoOptions {
  const given = parse(parameters)
  return {
    help: given.help ?? false,
    workers: integer('--workers', given.workers, 1, 32) ?? Math.max(2, Math.min(4, availableParallelism())),
    seconds: number('--seconds', given.seconds, 0.1, 3600) ?? 8,
    seed: integer('--seed', given.seed, 0, MAX_SEED) ?? randomInt(MAX_SEED + 1),
    trace: given.trace,
  }
}

interface GivenOptions {
  help?: boolean | undefined
  workers?: string | undefined
  seconds?: string | undefined
  seed?: string | undefined
  trace?: string | undefined
}

function parse(parameters: readonly string[]): GivenOptions {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        help: { type: 'boolean' },
        workers: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string' },
        trace: { type: 'string' },
      },
    }).values
  } catch (error) {
    // Some of Node's messages go on in a second sentence about positional arguments, which this program has none of.
    const [sentence] = (error as Error).message.split(/\.\s|\n/)
    throw new DemoError(`${sentence.replace(/\.$/, '')}; --help lists the options`)
  }
}

function integer(name: string, given: string | undefined, least: number, most: number): number | undefined {
  return inRange(name, given, /^\d+$/, `an integer from ${least} to ${most}`, least, most)
}

function number(name: string, given: string | undefined, least: number, most: number): number | undefined {
  return inRange(name, given, /^\d+(\.\d+)?$/, `a number from ${least} to ${most}`, least, most)
}

function inRange(
  name: string,
  given: string | undefined,
  form: RegExp,
  expected: string,
  least: number,
  most: number,
): number | undefined {
  if (given === undefined) return undefined
  const value = form.test(given) ? Number(given) : NaN
  if (value >= least && value <= most) return value
  throw new DemoError(`${name} is '${given}'; expected ${expected}`)
}
