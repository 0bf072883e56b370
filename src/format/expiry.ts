/** Reads from entries when they expire. See docs/internals/protocol.md, "Expiry". */
import { loadDouble } from './double.js'
import { labelCountOf, NEVER, sizeOf } from './entry.js'
import { isInvalidated } from './labels.js'
import { BLOCK_WORDS, ENTRY_EXPIRES, ENTRY_META, ENTRY_STALE, EXPIRY_TICK_MS, EXPIRY_WORDS } from './layout.js'
import type { Region } from './region.js'

const MAX_TICK = 2 ** 32 - 1
/** Regions are little-endian, and so is every machine that opens one. */
const LOW_HALF = 0

/** Returns when the entry at `entry` expires; NEVER if it does not. Trusts its lengths. */
export function expiryIn(words: Int32Array, entry: number): number {
  if ((words[entry + ENTRY_META] & ENTRY_EXPIRES) === 0) return NEVER
  return loadDouble(words, entry + sizeOf(words, entry) / 4 - EXPIRY_WORDS)
}

/** The expiry of an entry that was invalidated: in all respects it is one that expired long ago. */
const LONG_AGO = 1

/**
 * Returns when the entry in `block` expires, long ago if it was invalidated; NEVER if it does not, or if its lengths lead out of the region. Reliable
 * only after validation, like the header.
 */
export function expiryOf(region: Region, block: number): number {
  const { words } = region
  const entry = block * BLOCK_WORDS
  const expires = (words[entry + ENTRY_META] & ENTRY_EXPIRES) !== 0
  const isLabelled = labelCountOf(words, entry) !== 0
  if (!expires && !isLabelled) return NEVER
  const size = sizeOf(words, entry) / 4
  if (!region.contains(block, size)) return NEVER
  if (isLabelled && isInvalidated(words, entry)) return LONG_AGO
  return expires ? loadDouble(words, entry + size - EXPIRY_WORDS) : NEVER
}

/**
 * Returns until when loads may still return an entry that has expired, or below 0 minus the milliseconds by which a read
 * renews it; NEVER for neither, or as above.
 */
export function staleUntil(region: Region, block: number): number {
  const { words } = region
  const entry = block * BLOCK_WORDS
  if ((words[entry + ENTRY_META] & ENTRY_STALE) === 0) return NEVER
  const size = sizeOf(words, entry) / 4
  if (!region.contains(block, size)) return NEVER
  if (labelCountOf(words, entry) !== 0 && isInvalidated(words, entry)) return NEVER
  return loadDouble(words, entry + size - 2 * EXPIRY_WORDS)
}

const double = new Float64Array(1)
const halves = new Uint32Array(double.buffer)

/**
 * Marks the end of the time for which loads may return an expired value: whether only calls whose load failed get the
 * value. The mark is the lowest bit of the double, less than a microsecond.
 */
export function markForFailures(until: number, isForFailures: boolean): number {
  double[0] = until
  halves[LOW_HALF] = (halves[LOW_HALF] & ~1) | Number(isForFailures)
  return double[0]
}

/** Returns the mark that {@link markForFailures} left in `until`. */
export function isForFailures(until: number): boolean {
  double[0] = until
  return (halves[LOW_HALF] & 1) !== 0
}

/** Returns until when an entry is kept; NEVER if for ever, or as above. */
export function keptUntil(region: Region, block: number): number {
  const until = staleUntil(region, block)
  return until > 0 ? until : expiryOf(region, block)
}

/** Returns what {@link staleUntil} returned when the entry at `entry` was published. Trusts its lengths. */
export function staleUntilIn(words: Int32Array, entry: number): number {
  if ((words[entry + ENTRY_META] & ENTRY_STALE) === 0) return NEVER
  return loadDouble(words, entry + sizeOf(words, entry) / 4 - 2 * EXPIRY_WORDS)
}

/** Returns what {@link keptUntil} returned when the entry at `entry` was published. Trusts its lengths. */
export function wasToBeKeptUntil(words: Int32Array, entry: number): number {
  const until = staleUntilIn(words, entry)
  return until > 0 ? until : expiryIn(words, entry)
}

/** Returns whether an entry with this expiry has expired at `time`. */
export function hasExpiredAt(expiresAt: number, time: number): boolean {
  return expiresAt !== NEVER && expiresAt <= time
}

/**
 * Returns the first tick at which `expiresAt` has passed; 0 if it never passes. Ticks are the unit of a segment's hint.
 */
export function expiryTick(expiresAt: number): number {
  if (expiresAt === NEVER || !Number.isFinite(expiresAt)) return 0
  return Math.min(Math.max(Math.ceil(expiresAt / EXPIRY_TICK_MS), 1), MAX_TICK)
}
