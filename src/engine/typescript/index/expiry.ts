/** Expiry of entries, and the hints of segments that hold expiring ones. See docs/internals/protocol.md, "Expiry". */
import { BLOCK_WORDS, EXPIRY_TICK_MS, SEGMENT_EXPIRY } from '../../../format/layout.js'
import { NEVER } from '../../../format/entry.js'
import type { Region } from '../../../format/region.js'
import { regionTime } from '../../../format/region-time.js'
import { monotonic } from '../../../platform/system-clock.js'
import { expiryTick } from '../../../format/expiry.js'

/** Returns the region's time: milliseconds, by a clock that no step of the system's clock moves. */
export function now(region: Region): number {
  return regionTime(region.doubles, monotonic())
}

/** Returns whether an entry with `expiresAt` has expired. Reads the clock only if the entry expires at all. */
export function hasExpired(region: Region, expiresAt: number): boolean {
  return expiresAt !== NEVER && expiresAt <= now(region)
}

/** Returns whether an entry of the segment may have expired, by the segment's hint. */
export function isExpiryDue(region: Region, segment: number): boolean {
  const tick = Atomics.load(region.words, segment * BLOCK_WORDS + SEGMENT_EXPIRY) >>> 0
  return tick !== 0 && tick * EXPIRY_TICK_MS <= now(region)
}

/**
 * Makes a segment's hint no later than `expiresAt`. Called by a writer that holds the bucket in which an entry with
 * this expiry is about to appear, so that a thread that holds all buckets meets both or neither.
 */
export function lowerExpiryHint(words: Int32Array, segment: number, expiresAt: number): void {
  const tick = expiryTick(expiresAt)
  if (tick === 0) return
  const hint = segment * BLOCK_WORDS + SEGMENT_EXPIRY
  let known = Atomics.load(words, hint)
  while (known === 0 || known >>> 0 > tick) {
    const met = Atomics.compareExchange(words, hint, known, tick)
    if (met === known) return
    known = met
  }
}
