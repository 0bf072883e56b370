import type { Key } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

/**
 * Adds random amounts to a few shared sums by `update`; returns what was added to each, and how often it had to decide
 * again.
 */
export function addByUpdate(
  { map, random }: Shift<{ sum: number }>,
  cells: number,
  times: number,
): { added: number[]; again: number } {
  const added = new Array<number>(cells).fill(0)
  let calls = 0
  for (let i = 0; i < times; i++) {
    const cell = random.below(cells)
    const by = random.below(1000) - 300
    map.update(`cell ${cell}`, (value) => {
      calls++
      return { sum: (value?.sum ?? 0) + by }
    })
    added[cell] += by
  }
  return { added, again: calls - times }
}

/** Updates one key with a slow function; the others' `set`s come in between all the time. Returns its own successes. */
export function updateSlowly({ map, worker }: Shift<number>, times: number): number {
  if (worker > 0) {
    while (map.get('done') !== times) map.set('key', worker)
    return 0
  }
  for (let i = 1; i <= times; i++) {
    map.update('key', (value = 0) => {
      const end = performance.now() + 0.3
      while (performance.now() < end);
      return value + 1
    })
    map.set('done', i)
  }
  return times
}

/** Passes a baton around: each worker may only turn its own number into the next one. Returns its turns. */
export function passBaton({ map, worker, workers }: Shift<{ turn: number; round: number }>, rounds: number): number {
  const next = (worker + 1) % workers
  let turns = 0
  for (let round = 0; round < rounds;) {
    if (!map.compareAndSwap('baton', { turn: worker, round }, { turn: next, round: next === 0 ? round + 1 : round })) {
      continue
    }
    turns++
    round++
  }
  return turns
}

/** Races all others for every token with compareAndDelete; returns those it got. */
export function grabTokens({ map }: Shift<number>, tokens: number): number[] {
  const got: number[] = []
  for (let token = 0; token < tokens; token++) if (map.compareAndDelete(token, token)) got.push(token)
  return got
}

/** Asks for computed values of shared keys; returns what it got, and how often it computed for each key. */
export function compute({ map, worker, random }: Shift<string>, keys: number): { got: string[]; calls: number } {
  let calls = 0
  const got: string[] = []
  for (let key = 0; key < keys; key++) {
    got.push(map.getOrInsertComputed(key, () => `${worker}:${calls++}:${random.below(1e9)}`))
  }
  return { got, calls }
}

/**
 * Worker 0 deletes odd values, again and again; the others write values that are even for good where the key ends in 0,
 * and any elsewhere. Returns the keys of good values that were deleted all the same.
 */
export function deleteOdd({ map, worker, random, rendezvous }: Shift<number>, keys: number, times: number): Key[] {
  if (worker === 0) {
    for (let i = 0; i < times / 200; i++) map.deleteWhere((value) => value % 2 === 1)
    rendezvous()
    map.deleteWhere((value) => value % 2 === 1)
    return []
  }
  const lost: Key[] = []
  for (let i = 0; i < times; i++) {
    const key = random.below(keys)
    if (key % 10 === 0) {
      // Odd for an instant, then even for good: to be deleted only while it is odd.
      // eslint-disable-next-line mapsafe/prefer-set-if-absent -- writes race, on purpose
      if (map.get(key) === undefined) map.set(key, 1)
      map.set(key, 2)
      if (!map.has(key)) lost.push(key)
    } else {
      map.set(key, random.below(100))
    }
  }
  rendezvous()
  return lost
}
