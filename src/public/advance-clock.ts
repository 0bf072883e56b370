import { wrongInput } from '../base/arguments.js'
import { describe } from '../base/describe.js'
import { MapsafeTypeError } from '../base/errors.js'
import type { Key } from '../format/key.js'
import { ConcurrentCache } from './concurrent-cache.js'
import { storeOf } from './concurrent-map.js'

/**
 * Moves a cache's time forward, for all threads and processes that have it open, as if so many milliseconds passed.
 * Meant for tests of expiry: fake timers have no effect on a cache, whose time is that of the machine.
 *
 * Entries, leases of loads and stale values end that much earlier; timeouts of loads, which each thread measures for
 * itself, do not. `expiresAt` is converted as if the system's clock moved along, so the `expiresAt` of an entry stays
 * the same. O(1); any thread may call it. Time cannot be moved back.
 *
 * @param milliseconds 0 or more; may be a fraction
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` if `cache` is not a ConcurrentCache or `milliseconds` is not such a
 * number, `ERR_MAPSAFE_CLOSED` when the cache is closed
 */
export function advanceClock<K extends Key, V>(cache: ConcurrentCache<K, V>, milliseconds: number): void {
  if (!((cache as unknown) instanceof ConcurrentCache)) {
    throw new MapsafeTypeError(
      'ERR_MAPSAFE_OPTIONS',
      `Argument cache is ${describe(cache)}; expected a ConcurrentCache.`,
    )
  }
  if (!(typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds < Infinity)) {
    throw wrongInput('Argument milliseconds', milliseconds, 'a finite number of at least 0')
  }
  storeOf(cache).clock.advance(milliseconds)
}
