import type { Shift } from '../support/crew.js'

/** Adds to a few counters, in any order; returns what it added to each. */
export function increment({ map, random }: Shift<number>, counters: number, times: number): number[] {
  const added = Array.from({ length: counters }, () => 0)
  for (let i = 0; i < times; i++) {
    const counter = random.below(counters)
    const by = random.below(7) - 2
    map.increment(`counter ${counter}`, by)
    added[counter] += by
  }
  return added
}

/** Changes both words of the number with every increment, so that half a sum is none of the sums. */
export const BOTH_WORDS = 333_333_333

/** Every other worker counts; the rest read, and return the versions and sums that they met. */
export function countAndRead({ map, worker }: Shift<number>, times: number): [version: number, sum: number][] {
  const met: [number, number][] = []
  for (let i = 0; i < times; i++) {
    if (worker % 2 === 0) {
      map.increment('counter', BOTH_WORDS)
      continue
    }
    const entry = map.getEntry('counter')
    if (entry !== undefined && entry.version !== met.at(-1)?.[0]) met.push([entry.version, entry.value])
  }
  return met
}

/** Adds one by reading and writing on condition that nobody wrote in between, as often as it takes. */
export function addByVersion({ map, random }: Shift<{ sum: number }>, cells: number, times: number): number[] {
  const added = Array.from({ length: cells }, () => 0)
  for (let i = 0; i < times; i++) {
    const cell = random.below(cells)
    const key = `cell ${cell}`
    for (let done = false; !done;) {
      const { value, version } = map.getEntry(key) ?? { value: { sum: 0 }, version: 0 }
      done = map.setIfVersion(key, { sum: value.sum + 1 }, version)
    }
    added[cell]++
  }
  return added
}

/** Tries to be the first at every key, in an order of its own; returns the keys won. */
export function claimKeys({ map, worker, workers }: Shift<number>, keys: number): number[] {
  const won: number[] = []
  for (let i = 0; i < keys; i++) {
    // Pairs of workers meet at the same key; pairs start far apart.
    const key = (i + Math.floor((keys * (worker >> 1)) / workers)) % keys
    if (map.setIfAbsent(key, worker)) won.push(key)
  }
  return won
}

/** Takes every key it can get; returns the sum of what it got. */
export function takeKeys({ map }: Shift<number>, keys: number): number[] {
  const taken: number[] = []
  for (let key = 0; key < keys; key++) if (map.take(key) !== undefined) taken.push(key)
  return taken
}

/** Exchanges tokens of its own for whatever lies in a few cells; returns the tokens put in and those taken out. */
export function exchangeTokens(
  { map, worker, random }: Shift<number>,
  cells: number,
  times: number,
): { given: number[]; received: number[] } {
  const given: number[] = []
  const received: number[] = []
  for (let i = 0; i < times; i++) {
    const cell = random.below(cells)
    const isTake = random.chance(0.4)
    const token = worker * times + i
    const got = isTake ? map.take(cell) : map.swap(cell, token)
    if (!isTake) given.push(token)
    if (got !== undefined) received.push(got)
  }
  return { given, received }
}

/** Inserts and deletes shared keys; returns inserts minus deletes, going by what the calls returned. */
export function insertAndDelete({ map, random }: Shift<string>, keys: number, times: number): number {
  let balance = 0
  for (let i = 0; i < times; i++) {
    const key = `key ${random.below(keys)}`
    if (random.chance(0.5)) balance += map.setIfAbsent(key, 'x'.repeat(random.below(100))) ? 1 : 0
    else balance -= map.delete(key) ? 1 : 0
  }
  return balance
}
