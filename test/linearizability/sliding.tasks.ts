import type { ConcurrentCache, Key } from '../../src/index.js'
import { monotonic } from '../../src/platform/system-clock.js'
import type { Shift } from '../support/crew.js'
import type { Read } from './sliding-rules.js'

/** What each worker records. */
export interface SlidingExtent {
  readonly histories: number
  readonly reads: number
  /** Milliseconds that entries live from their last read on. */
  readonly slidingTtl: number
}

/**
 * Reads one key of a cache a history until its entry is gone, with pauses that sometimes let it go. The first worker
 * stores it.
 */
export function record(shift: Shift<number>, { histories, reads, slidingTtl }: SlidingExtent): Read[] {
  const { worker, random, rendezvous } = shift
  const cache = shift.map as unknown as ConcurrentCache<Key, string>
  const recorded: Read[] = []
  for (let key = 0; key < histories; key++) {
    if (worker === 0) {
      const invoked = monotonic()
      cache.set(key, 'value')
      recorded.push({ key, worker, invoked, returned: monotonic(), found: true, renews: true })
    }
    rendezvous()
    for (let i = 0; i < reads; i++) {
      pause((random.below(1000) / 1000) * slidingTtl * 1.2)
      const choice = random.below(6)
      const invoked = monotonic()
      let found: boolean
      if (choice < 3) found = cache.get(key) !== undefined
      else if (choice < 4) found = cache.getEntry(key) !== undefined
      else if (choice < 5) found = cache.getMany([key])[0] !== undefined
      else found = cache.has(key)
      recorded.push({ key, worker, invoked, returned: monotonic(), found, renews: choice < 5 })
    }
    rendezvous()
  }
  return recorded
}

/** Without giving the processor away, so that reads of several threads overlap. */
function pause(milliseconds: number): void {
  for (const end = monotonic() + milliseconds; monotonic() < end;);
}
