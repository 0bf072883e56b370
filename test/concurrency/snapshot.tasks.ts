import type { Shift } from '../support/crew.js'

/**
 * Writes rounds to `a`, then `b`, then `c` of its own, and from time to time splits segments with new keys; until told
 * to stop.
 */
export function writeInOrder({ map, worker, random }: Shift<number>, fillers: number): number {
  let round = 0
  map.increment('started')
  while (map.get('stop') === undefined) {
    round++
    for (const name of ['a', 'b', 'c']) map.set(`${name}${worker}`, round)
    map.set(`filler ${worker} ${random.below(fillers)}`, round)
    if (random.chance(0.3)) map.delete(`filler ${worker} ${random.below(fillers)}`)
  }
  return round
}

/** Moves amounts from one counter to another by way of the worker's own, until told to stop; returns how many. */
export function transfer({ map, worker, random }: Shift<number>): number {
  let transfers = 0
  map.increment('started')
  while (map.get('stop') === undefined) {
    const by = 1 + random.below(9)
    map.increment('from', -by)
    map.increment(`in transit ${worker}`, by)
    map.increment(`in transit ${worker}`, -by)
    map.increment('to', by)
    transfers++
  }
  return transfers
}

/** Takes snapshots, and returns their sizes. */
export function takeSnapshots({ map }: Shift<number>, times: number): number[] {
  return Array.from({ length: times }, () => map.snapshot().size)
}
