import type { ConcurrentCache, Key } from '../../src/index.js'
import { monotonic } from '../../src/platform/system-clock.js'
import type { Shift } from '../support/crew.js'
import type { Operation } from './checker.js'
import type { TtlCall } from './ttl-model.js'

/** What each worker records. */
export interface TtlExtent {
  readonly histories: number
  readonly calls: number
  /** Milliseconds that entries live. */
  readonly ttl: number
}

/**
 * Makes random calls on one key of a cache a history, and stamps them before and after with the machine's monotonic
 * clock, which all threads share.
 */
export function record(shift: Shift<number>, { histories, calls, ttl }: TtlExtent): Operation<TtlCall>[] {
  const { worker, workers, random, rendezvous } = shift
  const cache = shift.map as unknown as ConcurrentCache<Key, number>
  const operations: Operation<TtlCall>[] = []
  for (let key = 0; key < histories; key++) {
    rendezvous()
    for (let i = 0; i < calls; i++) {
      pause((random.below(1000) / 1000) * ttl * 0.4)
      const value = ((key * calls + i) * workers + worker + 1) * 2
      const choice = random.below(12)
      const invoked = monotonic()
      let call: TtlCall
      if (choice < 2) {
        cache.set(key, value, { ttl })
        call = { key, name: 'set', value, ttl }
      } else if (choice < 3) call = { key, name: 'touch', mark: value, ttl, result: cache.touch(key, ttl) }
      else if (choice < 4) call = { key, name: 'delete', result: cache.delete(key) }
      else if (choice < 5) call = { key, name: 'has', result: cache.has(key) }
      else if (choice < 6)
        call = { key, name: 'setIfAbsent', value, ttl, result: cache.setIfAbsent(key, value, { ttl }) }
      else if (choice < 8) {
        const [ifPresent, renew] = [random.chance(0.4), random.chance(0.4)]
        const result = cache.increment(key, 1, { ttl, ifPresent, renew })
        call = { key, name: 'increment', mark: value, ttl, ifPresent, renew, result }
      } else call = { key, name: 'get', result: cache.get(key) }
      operations.push({ worker, invoked, returned: monotonic(), call })
    }
  }
  return operations
}

/** Without giving the processor away, so that calls of several threads overlap. */
function pause(milliseconds: number): void {
  for (const end = monotonic() + milliseconds; monotonic() < end;);
}
