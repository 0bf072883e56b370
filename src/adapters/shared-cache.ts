import { MapsafeTypeError } from '../base/errors.js'
import { describe } from '../base/describe.js'
import type { ConcurrentCache } from '../public/concurrent-cache.js'

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` unless `cache` is a ConcurrentCache, perhaps of another copy of the package */
export function checkCache(cache: unknown): void {
  if ((cache as Partial<ConcurrentCache<string, unknown>> | undefined)?.[Symbol.toStringTag] === 'ConcurrentCache')
    return
  throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Argument cache is ${describe(cache)}; expected a ConcurrentCache.`)
}

/** Deletes the entries whose keys begin with `prefix`, and leaves all others. O(keys of the cache). */
export function deletePrefixed<V>(cache: ConcurrentCache<string, V>, prefix: string): void {
  cache.deleteWhere({ prefix })
}
