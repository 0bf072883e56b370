/**
 * The time of a region for a reader without a part in it. An engine that attaches first adjusts the region to a start
 * of the system, a suspension and steps of its clock (src/store/clock.ts); this module computes the same without
 * storing it.
 */
import {
  EXPIRY_TICK_MS,
  HEADER_CLOCK_ADVANCE,
  HEADER_CLOCK_BOOT,
  HEADER_CLOCK_START,
  HEADER_CLOCK_OFFSET,
  HEADER_CLOCK_STEPS,
  HEADER_SWEEP_TICK,
} from '../format/layout.js'
import { isOfStart, STEP_MS, SUSPENSION_MS, timeAtStart } from '../format/region-time.js'
import { pairsOf, type Region } from '../format/region.js'
import { bootNumber, readClocks, type Clocks } from '../platform/system-clock.js'

/** An instant, by both clocks. */
export interface Moment {
  /** The region's time, in milliseconds. */
  readonly time: number
  /** How far the system's clock is ahead of it, in milliseconds. */
  readonly steps: number
}

/** @param wall the instant by the system's clock; undefined for now */
export function momentOf(region: Region, wall: number | undefined): Moment {
  const { words, doubles } = region
  const clocks = readClocks()
  const advance = doubles[HEADER_CLOCK_ADVANCE / 2]
  const offset = offsetOf(region, clocks)
  const known = doubles[HEADER_CLOCK_STEPS / 2]
  const apart = clocks.wall - clocks.monotonic - offset
  const steps = Math.abs(apart - known) <= STEP_MS ? known : Math.floor(apart)
  if (wall !== undefined) return { time: wall - (steps || 0), steps: steps || 0 }
  // The time is at least that of the last sweep.
  const time = clocks.monotonic + offset + advance
  return { time: Number.isNaN(time) ? (words[HEADER_SWEEP_TICK] >>> 0) * EXPIRY_TICK_MS : time, steps: steps || 0 }
}

/** Returns the offset to add to the monotonic clock. */
function offsetOf(region: Region, { monotonic, wall, boot }: Clocks): number {
  const { words, doubles } = region
  const offset = doubles[HEADER_CLOCK_OFFSET / 2]
  const known = pairsOf(words)[HEADER_CLOCK_BOOT / 2]
  if (!isOfStart(region, known, bootNumber(), monotonic) || !Number.isFinite(offset)) {
    return timeAtStart(region, wall) - monotonic
  }
  const expected = doubles[HEADER_CLOCK_START / 2] + boot - monotonic
  return expected - offset > SUSPENSION_MS ? expected : offset
}
