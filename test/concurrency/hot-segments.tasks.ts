import type { Shift } from '../support/crew.js'

/** Sets one key, and returns what was there before and what is there now. */
export function exchange({ map }: Shift<number>, key: string, value: number): (number | undefined)[] {
  const previous = map.swap(key, value)
  return [previous, map.get(key)]
}

/** Counts on keys that all workers share; returns how often. */
export function countTogether({ map, random }: Shift<number>, keys: number, times: number): number {
  for (let i = 0; i < times; i++) map.increment(`key ${random.below(keys)}`)
  return times
}
