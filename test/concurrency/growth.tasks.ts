import type { Shift } from '../support/crew.js'
import { openMemory, sleepWhile, type SharedMemory } from '../support/shared-memory.js'

// The words that the two parts of lookWhileBroughtHome share.
const PHASE = 0
const LOOKS = 1
/** Some ten microseconds, about what it takes to wake a thread. */
const SPINS = 2000

/**
 * Inserts keys that no other worker has, and looks the previous ones up meanwhile; returns the keys that were missing.
 */
export function fill({ map, worker, workers, random }: Shift<number>, keys: number): string[] {
  const missing: string[] = []
  for (let i = worker; i < keys; i += workers) {
    map.set(`key ${i}`, i)
    const earlier = worker + workers * random.below(Math.floor((i - worker) / workers) + 1)
    if (map.get(`key ${earlier}`) !== earlier) missing.push(`key ${earlier}`)
  }
  return missing
}

/** All workers insert the same keys; returns how many were inserted by this one. */
export function fillTogether({ map, worker }: Shift<number>, keys: number): number {
  let inserted = 0
  for (let i = 0; i < keys; i++) if (map.setIfAbsent(i, worker)) inserted++
  return inserted
}

/**
 * The even workers insert and delete passing keys, so that segments are split and cleaned up, and set
 * the lasting keys 0 to `lasting` - 1 anew; the odd ones look for those, and return what they missed.
 */
export function lookWhileOthersMove(
  { map, worker, random }: Shift<number>,
  lasting: number,
  passing: number,
  times: number,
): number[] {
  const missed: number[] = []
  for (let i = 0; i < times; i++) {
    if (worker % 2 === 0) {
      const lastingKey = random.below(lasting)
      if (random.chance(0.2)) map.set(lastingKey, lastingKey)
      else if (random.chance(0.6)) map.set(`${worker} ${i % passing}`, i)
      else map.delete(`${worker} ${random.below(passing)}`)
      continue
    }
    const key = random.below(lasting)
    const isThere = random.chance(0.2) ? map.has(key) : map.get(key) === key
    if (!isThere) missed.push(key)
  }
  return missed
}

/**
 * Worker 0 inserts a crowd and then the lasting keys, which so end up away from their home bucket; then it deletes the
 * crowd, so that they are brought home. The other worker looks for them meanwhile, and returns those it missed.
 *
 * @param shared two words: the phase, odd while the lasting keys are there, negative at the end; and a count of looks
 */
export function lookWhileBroughtHome(
  shift: Shift<number>,
  shared: SharedMemory,
  crowd: string[],
  lasting: string[],
  rounds: number,
  way: 'get' | 'keys',
): string[] {
  const words = new Int32Array(openMemory(shared))
  const missed: string[] = []
  if (shift.worker > 0) {
    for (let phase = 0; phase >= 0; phase = Atomics.load(words, PHASE)) {
      if (phase % 2 === 0) {
        waitForChange(words, PHASE, phase)
        continue
      }
      const missing = way === 'get' ? missingByGet(shift, lasting) : missingInKeys(shift, lasting)
      if (Atomics.load(words, PHASE) === phase) missed.push(...missing)
      increment(words, LOOKS)
    }
    return missed
  }
  const { map } = shift
  try {
    for (let round = 0; round < rounds; round++) {
      for (const key of crowd) map.set(key, round)
      for (const key of lasting) map.set(key, round)
      increment(words, PHASE)
      for (const key of crowd) map.delete(key)
      waitForChange(words, LOOKS, Atomics.load(words, LOOKS)) // the look under way counts
      increment(words, PHASE)
      for (const key of lasting) map.delete(key)
    }
  } finally {
    Atomics.store(words, PHASE, -1)
    Atomics.notify(words, PHASE)
  }
  return missed
}

function missingByGet({ map, random }: Shift<number>, lasting: string[]): string[] {
  const key = random.pick(lasting)
  const isThere = random.chance(0.2) ? map.has(key) : map.get(key) !== undefined
  return isThere ? [] : [key]
}

function missingInKeys({ map }: Shift<number>, lasting: string[]): string[] {
  const met = new Set(map.keys())
  return lasting.filter((key) => !met.has(key))
}

function increment(words: Int32Array, index: number): void {
  Atomics.add(words, index, 1)
  Atomics.notify(words, index)
}

/**
 * Waits until another thread changes a word from `value`; a second at most, for it may have failed. Soon sleeps: where
 * cores are scarce, a spinning thread keeps the other from the work that it waits for.
 */
function waitForChange(words: Int32Array, index: number, value: number): void {
  for (let spins = 0; spins < SPINS; spins++) if (Atomics.load(words, index) !== value) return
  sleepWhile(words, index, value)
}
