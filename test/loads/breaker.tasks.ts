import type { ConcurrentCache, Key } from '../../src/index.js'
import { Breaker, resolveBreaker } from '../../src/loads/breaker.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import type { Shift } from '../support/crew.js'

function breakerOf(cache: ConcurrentCache<Key, unknown>, options: object): Breaker {
  const store = storeOf(cache)
  return new Breaker(store.open().words, resolveBreaker(options)!, () => store.now())
}

/** Reports loads that end, every tenth by a failure. */
export function count({ map, worker }: Shift, { loads }: { loads: number }): void {
  const breaker = breakerOf(map as unknown as ConcurrentCache<Key, unknown>, { threshold: 1, duration: 2 ** 31 - 1 })
  for (let i = 0; i < loads; i++) breaker.report(breaker.take(1000)!, (i + worker) % 10 === 0)
}

/**
 * Asks for a pass in every round, in which the breaker is open and due; reports the probe failed, so that the next round
 * can begin. @returns the number of probes in each round
 */
export function probe({ map, rendezvous }: Shift, { rounds }: { rounds: number }): number[] {
  const cache = map as unknown as ConcurrentCache<Key, unknown>
  const breaker = breakerOf(cache, { halfOpenAfter: 1, volumeThreshold: 1 })
  const probes: number[] = []
  for (let round = 0; round < rounds; round++) {
    while (breaker.isOpen());
    rendezvous()
    const pass = breaker.take(60_000)
    probes.push(Number(pass?.probe !== undefined))
    rendezvous()
    if (pass !== undefined) breaker.report(pass, true)
    rendezvous()
  }
  return probes
}
