import type { InspectedEntry, Inspection } from '../inspect/index.js'
import { toJson } from '../dump/index.js'
import { PROBLEMS, FINE, WrongCall, type Given, type Option } from './command.js'
import { complain } from './complain.js'

/** The options that choose entries. */
export const ENTRY_OPTIONS: Readonly<Record<string, Option>> = {
  prefix: { type: 'string', value: 'TEXT', help: 'only keys that begin with this text' },
  match: { type: 'string', value: 'REGEXP', help: 'only keys of text that match this expression' },
  expired: { type: 'boolean', help: 'also entries that have expired, and are not deleted yet' },
  leases: { type: 'boolean', help: 'also keys whose value is being loaded' },
}

/** What a walk over entries met. */
export interface Walk {
  /** Each is told as soon as it is met. */
  readonly entries: Iterable<InspectedEntry>
  /** Returns the exit code, once the walk is over. */
  readonly end: () => number
}

/** Walks the entries that the options choose; what cannot be read is told, and costs the exit code. */
export function walk(seen: Inspection, { options }: Given, more: { deleted?: boolean; values?: boolean } = {}): Walk {
  const { prefix, match, expired, leases } = options
  const isChosen = chooser(prefix, match)
  let problems = 0
  const onProblem = (problem: string): void => {
    problems++
    complain(problem)
  }
  const entries = seen.entries({ expired: expired === true, leases: leases === true, onProblem, ...more })
  return { entries: filter(entries, isChosen), end: () => (problems === 0 ? FINE : PROBLEMS) }
}

function* filter(entries: Iterable<InspectedEntry>, isChosen: (key: unknown) => boolean): Iterable<InspectedEntry> {
  for (const entry of entries) if (isChosen(entry.key)) yield entry
}

function chooser(prefix: string | boolean | undefined, match: string | boolean | undefined): (key: unknown) => boolean {
  let pattern: RegExp | undefined
  try {
    if (typeof match === 'string') pattern = new RegExp(match, 'u')
  } catch (error) {
    throw new WrongCall(`Option --match is no regular expression: ${(error as Error).message}.`)
  }
  if (prefix === undefined && pattern === undefined) return () => true
  return (key) =>
    typeof key === 'string' &&
    (typeof prefix !== 'string' || key.startsWith(prefix)) &&
    (pattern === undefined || pattern.test(key))
}

/** Returns an entry as JSON has it: key and value in the form of dumps. */
export function jsonOf(entry: InspectedEntry): object {
  const { key, value, groups, ...rest } = entry
  return {
    key: toJson(key),
    ...('value' in entry && { value: toJson(value) }),
    ...rest,
    ...(groups.length > 0 && { groups }),
  }
}

/** The greatest of many, most first, in memory for `count` alone. */
export class Greatest<T> {
  readonly #kept: { size: number; item: T }[] = []

  constructor(private readonly count: number) {}

  add(size: number, item: T): void {
    const kept = this.#kept
    if (kept.length === this.count && size <= kept[kept.length - 1].size) return
    let at = kept.length
    while (at > 0 && kept[at - 1].size < size) at--
    kept.splice(at, 0, { size, item })
    if (kept.length > this.count) kept.pop()
  }

  get items(): T[] {
    return this.#kept.map(({ item }) => item)
  }
}
