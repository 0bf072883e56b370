import { MapsafeError } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

/** More than one worker can have: a key is this times the worker, plus its own number. */
const KEYS_PER_WORKER = 1_000_000

/** What the lasting key of this number holds: sizes from 50 to 3,000 bytes. */
export const lastingValue = (number: number): string => `${number} `.repeat(10 + ((number * 37) % 400))

/** A counter's key, with which the counter is as long as the short entries that come and go, and lies among them. */
export const counterKey = (counter: number): string => `counter ${counter}`.padEnd(276)

export interface Shifted {
  readonly writes: number
  readonly refusals: readonly string[]
}

/**
 * Writes values of sizes that shift, and deletes the oldest, so that this worker's entries always have about `share`
 * bytes. Returns what was refused.
 */
export function shiftSizes({ map, worker, random }: Shift, share: number, sizes: number[], rounds: number): Shifted {
  const live: { key: number; bytes: number }[] = []
  const refusals: string[] = []
  let bytes = 0
  let next = worker * KEYS_PER_WORKER
  let writes = 0
  for (let round = 0; round < rounds; round++) {
    const size = sizes[round % sizes.length]
    // Turns over all that there is.
    for (let written = 0; written < share;) {
      const length = Math.floor(size * (0.8 + 0.4 * random.below(1000) * 0.001))
      while (bytes + length > share) {
        // Here and there, not in the order in which they came.
        const [gone] = live.splice(random.below(Math.min(live.length, 1000)), 1)
        map.delete(gone.key)
        bytes -= gone.bytes
      }
      try {
        map.set(next, 'v'.repeat(length))
        live.push({ key: next, bytes: length })
        bytes += length
      } catch (error) {
        refusals.push(error instanceof MapsafeError ? error.code : String(error))
      }
      next++
      writes++
      written += length
    }
  }
  return { writes, refusals }
}

/**
 * The even workers shift sizes, so that entries are moved all the while; the odd ones look at the lasting keys, which
 * nobody writes, and return what they found wrong.
 */
export function lookWhileEntriesMove(shift: Shift, lasting: number, share: number, rounds: number): string[] {
  const { map, worker, random } = shift
  if (worker % 2 === 0) return [...shiftSizes(shift, share, [300, 3000, 20_000], rounds).refusals]
  const faults: string[] = []
  const versions = new Map<string, number>()
  const check = (key: string, value: unknown): void => {
    if (value !== lastingValue(Number(key.slice(8)))) faults.push(`${key} is ${String(value).slice(0, 40)}`)
  }
  for (let look = 0; look < rounds * 400; look++) {
    const key = `lasting ${random.below(lasting)}`
    const entry = map.getEntry(key)
    check(key, entry?.value)
    const version = versions.get(key)
    if (version !== undefined && entry?.version !== version) faults.push(`${key} has another version`)
    versions.set(key, entry?.version ?? 0)
    if (look % 1000 === 0) {
      const all = look % 2000 === 0 ? [...map.snapshot()] : [...map.entries()]
      const found = all.filter(([name]) => typeof name === 'string') as [string, unknown][]
      for (const [name, value] of found) check(name, value)
      if (found.length !== lasting || new Set(found.map(([name]) => name)).size !== lasting)
        faults.push(`${found.length} lasting keys in ${look % 2000 === 0 ? 'a snapshot' : 'an iteration'}`)
    }
  }
  return faults
}

/** All workers count in the same counters while entries move; returns how often this one counted each. */
export function countWhileEntriesMove(shift: Shift, counters: number, share: number, rounds: number): number[] {
  const { map, worker, random } = shift
  const counts = Array.from({ length: counters }, () => 0)
  if (worker === 0) {
    shiftSizes(shift, share, [300, 3000, 20_000], rounds)
    return counts
  }
  for (let i = 0; i < rounds * 2000; i++) {
    const counter = random.below(counters)
    map.increment(counterKey(counter))
    counts[counter]++
  }
  return counts
}
