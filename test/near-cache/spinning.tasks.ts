import type { Shift } from '../support/crew.js'
import { processorTime } from '../support/processor-time.js'

/** Reads between two looks at the time: long enough for the loop to be compiled and entered on its own. */
const SPINS = 2_000_000

/**
 * Two workers write in turn, each as soon as a near hit shows it what the other wrote. The waiting loops are nothing
 * but near hits, so that the optimizing compiler is free to keep in a register whatever it believes cannot change.
 *
 * @returns the rounds that were played; fewer than `rounds` if a write was not seen in `milliseconds` of
 * processor time
 */
export function pingPong({ map, worker }: Shift<number>, rounds: number, milliseconds: number): number {
  const [mine, other] = worker === 0 ? ['ping', 'pong'] : ['pong', 'ping']
  for (let round = 1; round <= rounds; round++) {
    if (worker === 0) map.set(mine, round)
    const end = processorTime() + milliseconds
    while (!spinUntil(map, other, round)) if (processorTime() > end) return round - 1
    if (worker === 1) map.set(mine, round)
  }
  return rounds
}

function spinUntil(map: Shift<number>['map'], key: string, value: number): boolean {
  for (let i = 0; i < SPINS; i++) if (map.get(key) === value) return true
  return false
}
