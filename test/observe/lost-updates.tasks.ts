/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-increment: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- mistakes are made on purpose */
import type { Shift } from '../support/crew.js'
import { Losses } from './losses.js'

/** Counts by reading and writing back, in step with the other workers: of the writes of a round, all but one lose. */
export function countBlindly({ map, rendezvous }: Shift<number>, rounds: number): number {
  using losses = new Losses()
  for (let i = 0; i < rounds; i++) {
    const count = map.get('counter') ?? 0
    rendezvous()
    map.set('counter', count + 1)
    rendezvous()
  }
  return losses.events.length
}

/** Counts as {@link countBlindly} does, with `update`. */
export function countByUpdate({ map, rendezvous }: Shift<number>, rounds: number): number {
  using losses = new Losses()
  for (let i = 0; i < rounds; i++) {
    map.get('counter')
    rendezvous()
    map.update('counter', (count = 0) => count + 1)
    rendezvous()
  }
  return losses.events.length
}
