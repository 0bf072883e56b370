import { isForFailures } from '../format/expiry.js'
import type { Stale } from './lease.js'

/** The part of a call that says which expired values it takes. */
interface Taker {
  /** Whether the call takes an expired value instead of waiting for a new one: not with `forceRefresh`. */
  readonly takesStale: boolean
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

/**
 * Returns whether a call gets an expired value at once. The load that stored the value decides; where it kept the value
 * for failures, the call's own `staleWhileRevalidate` does.
 */
export function isServedAtOnce({ until, expiredAt }: Stale, now: number, taker: Taker): boolean {
  if (!taker.takesStale || !(now < until)) return false
  return !isForFailures(until) || now < expiredAt + taker.staleWhileRevalidate
}

/** Returns whether a call gets an expired value instead of the failure of a load. */
export function isServedOnFailure(stale: Stale, now: number, taker: Taker): boolean {
  if (taker.staleIfError > 0 && now < stale.until && now < stale.expiredAt + taker.staleIfError) return true
  return isServedAtOnce(stale, now, taker)
}
