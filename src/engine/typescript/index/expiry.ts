/** When entries expire, and which segments hold any that do. See docs/internals/protocol.md, "Expiry". */
import {
  BLOCK_WORDS,
  ENTRY_EXPIRES,
  ENTRY_META,
  ENTRY_STALE,
  EXPIRY_TICK_MS,
  EXPIRY_WORDS,
  SEGMENT_EXPIRY,
} from '../../../format/layout.js'
import { sizeOf, NEVER } from '../../../format/entry.js'
import type { Region } from '../../../format/region.js'
import { loadDouble } from '../../../format/double.js'
import { regionTime } from '../../../format/region-time.js'
import { monotonic } from '../../../platform/system-clock.js'

const MAX_TICK = 2 ** 32 - 1

/** The region's time: milliseconds, by a clock that no step of the system's clock moves. */
export function now(region: Region): number {
  return regionTime(region.doubles, monotonic())
}

/**
 * When the entry in `block` expires; NEVER if it does not, or if its lengths lead out of the region. A fact only once
 * validated, like the header.
 */
export function expiryOf(region: Region, block: number): number {
  const { words } = region
  const entry = block * BLOCK_WORDS
  if ((words[entry + ENTRY_META] & ENTRY_EXPIRES) === 0) return NEVER
  const size = sizeOf(words, entry) / 4
  return region.contains(block, size) ? loadDouble(words, entry + size - EXPIRY_WORDS) : NEVER
}

/** Until when a load may still be served an entry that has expired; NEVER if it may not, or as above. */
export function staleUntil(region: Region, block: number): number {
  const { words } = region
  const entry = block * BLOCK_WORDS
  if ((words[entry + ENTRY_META] & ENTRY_STALE) === 0) return NEVER
  const size = sizeOf(words, entry) / 4
  return region.contains(block, size) ? loadDouble(words, entry + size - 2 * EXPIRY_WORDS) : NEVER
}

/** Until when an entry is kept; NEVER if for ever, or as above. */
export function keptUntil(region: Region, block: number): number {
  const mayBeStale = (region.words[block * BLOCK_WORDS + ENTRY_META] & ENTRY_STALE) !== 0
  return mayBeStale ? staleUntil(region, block) : expiryOf(region, block)
}

/** Whether what expires at `expiresAt` has done so. The clock is read only if it expires at all. */
export function hasExpired(region: Region, expiresAt: number): boolean {
  return expiresAt !== NEVER && expiresAt <= now(region)
}

/** The first tick at which `expiresAt` has passed; 0 if it never passes. Ticks are the unit of a segment's hint. */
export function expiryTick(expiresAt: number): number {
  if (expiresAt === NEVER || !Number.isFinite(expiresAt)) return 0
  return Math.min(Math.max(Math.ceil(expiresAt / EXPIRY_TICK_MS), 1), MAX_TICK)
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
