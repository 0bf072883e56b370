/** When entries expire, and which segments hold any that do. See docs/internals/protocol.md, "Expiry". */
import { BLOCK_WORDS, EXPIRY_TICK_MS, SEGMENT_EXPIRY } from '../../../format/layout.js'
import { NEVER } from '../../../format/entry.js'
import type { Region } from '../../../format/region.js'
import { regionTime } from '../../../format/region-time.js'
import { monotonic } from '../../../platform/system-clock.js'
import { expiryTick } from '../../../format/expiry.js'

/** The region's time: milliseconds, by a clock that no step of the system's clock moves. */
export function now(region: Region): number {
  return regionTime(region.doubles, monotonic())
}

/** Whether what expires at `expiresAt` has done so. The clock is read only if it expires at all. */
export function hasExpired(region: Region, expiresAt: number): boolean {
  return expiresAt !== NEVER && expiresAt <= now(region)
}

/** Whether a segment's hint says that an entry in it may have expired. */
export function isExpiryDue(region: Region, segment: number): boolean {
  const tick = Atomics.load(region.words, segment * BLOCK_WORDS + SEGMENT_EXPIRY) >>> 0
  return tick !== 0 && tick * EXPIRY_TICK_MS <= now(region)
}

/**
 * Makes a segment's hint no later than `expiresAt`. By a writer who holds the bucket in which an entry that expires
 * then is about to appear, so that whoever holds all buckets meets both or neither.
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
