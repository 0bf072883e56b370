import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BenchError } from '../harness/bench-error.js'

/** A sequence of accesses, its keys numbered from 0 in the order of their first access. */
export interface Trace {
  readonly name: string
  readonly accesses: Uint32Array
  /** Distinct keys. */
  readonly keys: number
}

const SUFFIX = '.txt.gz'

/** Numbers the keys of a sequence. */
export function traceOf(name: string, sequence: readonly (string | number)[]): Trace {
  const numbers = new Map<string | number, number>()
  const accesses = Uint32Array.from(sequence, (key) => {
    let number = numbers.get(key)
    if (number === undefined) {
      number = numbers.size
      numbers.set(key, number)
    }
    return number
  })
  return { name, accesses, keys: numbers.size }
}

/**
 * Reads all traces of a folder: files `*.txt.gz` with one key a line.
 *
 * @throws BenchError if there is none
 */
export function readTraces(folder: string): Trace[] {
  const files = namesIn(folder).filter((name) => name.endsWith(SUFFIX))
  if (files.length === 0) throw new BenchError(`--traces is '${folder}', which holds no file *${SUFFIX}`)
  return files.sort().map((file) => {
    const lines = gunzipSync(readFileSync(join(folder, file)))
      .toString('latin1')
      .split('\n')
    if (lines.at(-1) === '') lines.pop()
    return traceOf(basename(file, SUFFIX), lines)
  })
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    throw new BenchError(`--traces is '${folder}', which cannot be read: ${(error as Error).message}`)
  }
}
