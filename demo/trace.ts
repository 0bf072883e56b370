import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { DemoError } from './demo-error.js'
import { randomAt } from './random.js'

/** Who asks for what: a list of accesses, each the index of a key. */
export interface Trace {
  readonly description: string
  readonly keys: readonly string[]
  /** Over shared memory: all workers read the same. */
  readonly accesses: Uint32Array
}

const GENERATED_KEYS = 50_000
const GENERATED_ACCESSES = 1_000_000
const ZIPF_EXPONENT = 0.99

const MAX_KEYS = 10_000_000
/** A map's limit is 1,048,575 bytes, and a character may need two. */
const MAX_KEY_LENGTH = 500_000

/** Session ids, each drawn in proportion to 1 / rank ^ 0.99: few are busy, most are quiet. */
export function generateTrace(seed: number): Trace {
  const keys = Array.from({ length: GENERATED_KEYS }, (_, rank) => `session:${hex(randomAt(seed, rank))}${hex(rank)}`)
  const cumulative = new Float64Array(GENERATED_KEYS)
  let sum = 0
  for (let rank = 0; rank < GENERATED_KEYS; rank++) cumulative[rank] = sum += (rank + 1) ** -ZIPF_EXPONENT

  const accesses = sharedWords(GENERATED_ACCESSES)
  for (let index = 0; index < GENERATED_ACCESSES; index++) {
    accesses[index] = firstAbove(cumulative, (randomAt(~seed, index) / 2 ** 32) * sum)
  }
  const size = `${count(GENERATED_ACCESSES)} accesses to ${count(GENERATED_KEYS)} sessions`
  return { description: `generated, ${size}, Zipf ${ZIPF_EXPONENT}, seed ${seed}`, keys, accesses }
}

/**
 * Reads a trace from a file with one key a line; blank lines do not count. Needs memory for four to eight bytes an
 * access and for each distinct key.
 *
 * @param file its name; unpacked on the way if it ends in .gz
 * @throws DemoError if it cannot be read, is no text, or holds no key
 */
export async function readTrace(file: string): Promise<Trace> {
  const indexes = new Map<string, number>()
  let accesses = sharedWords(2 ** 16)
  let length = 0

  const add = (line: string): void => {
    const key = line.trim()
    if (key === '') return
    let index = indexes.get(key)
    if (index === undefined) {
      if (key.length > MAX_KEY_LENGTH) throw new DemoError(`${file}: key ${length + 1} is too long`)
      if (indexes.size === MAX_KEYS) throw new DemoError(`${file}: more than ${count(MAX_KEYS)} distinct keys`)
      index = indexes.size
      indexes.set(key, index)
    }
    if (length === accesses.length) {
      const larger = sharedWords(2 * length)
      larger.set(accesses)
      accesses = larger
    }
    accesses[length++] = index
  }

  try {
    await eachLine(file, add)
  } catch (error) {
    if (error instanceof DemoError) throw error
    throw new DemoError(`cannot read ${file}: ${(error as Error).message}`)
  }
  if (length === 0) throw new DemoError(`${file} is empty: expected one key a line`)
  return {
    description: `${basename(file)}, ${count(length)} accesses to ${count(indexes.size)} distinct keys`,
    keys: [...indexes.keys()],
    accesses: accesses.subarray(0, length),
  }
}

async function eachLine(file: string, take: (line: string) => void): Promise<void> {
  const takeAll = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of chunks) {
      if (chunk.includes(0)) throw new DemoError(`${file} is no text: expected one key a line`)
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop()!
      for (const line of lines) take(line)
    }
    take(rest + decoder.decode())
  }
  const source = createReadStream(file)
  if (file.endsWith('.gz')) await pipeline(source, createGunzip(), takeAll)
  else await pipeline(source, takeAll)
}

/** Index of the first element above `value`, in an ascending list. */
function firstAbove(ascending: Float64Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle] > value) high = middle
    else low = middle + 1
  }
  return low
}

function sharedWords(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * Uint32Array.BYTES_PER_ELEMENT))
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0')
}

function count(value: number): string {
  return value.toLocaleString('en')
}
