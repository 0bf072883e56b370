import type { KeptDates } from './kept-dates.js'
import type { Labels } from '../../format/labels.js'

/** The near-cache's knowledge of one key: the outcome of a lookup, and until when it holds. */
export interface NearEntry {
  // The fields that a hit reads come first, so that they share a cache line with the object's header.
  /** Word index of the home bucket, whose version vouches for the outcome. */
  home: number
  /** The home bucket's version, even, and its epoch when the outcome was true. */
  version: number
  epoch: number
  /** Set by a hit, cleared by the eviction's hand. */
  used: boolean
  value: unknown
  /** Whether the key had an entry. An absent key is remembered too: every insertion of it changes the same version. */
  present: boolean
  /** The entry's version; 0 if absent. While it stays the same the value need not be decoded again. */
  entryVersion: number
  /**
   * Until when the outcome holds: the entry's expiry, or earlier the time from which on a read renews it. Undefined if
   * it never expires, and then a hit does not look at the clock. -Infinity if dropped.
   */
  until: number | undefined
  /** When the entry expires; undefined if it never does. */
  expiresAt: number | undefined
  /** Milliseconds that the entry lives from its last read or write on; 0 if reads do not renew it. */
  slidingTtl: number
  /** The entry's labels: a hit compares their generations. Then `until` is defined, so that a hit without pays nothing. */
  labels: Labels | undefined
  /** The eviction's use clock, in a cache, when a use was last noted. */
  useClock: number
  /** Word index of the entry; 0 if there is none, or it is a counter, which changes where it lies. */
  at: number
  /** The entry's hash, and in a cache the block number of its node; 0 if absent. */
  hash: number
  node: number
  /** The dates in the value, which a hit compares; undefined if it has none. */
  dates: KeptDates | undefined
}
