/**
 * The time of a region for who only reads it. An engine that attaches first takes note of a start of the system, a
 * suspension and steps of its clock (src/store/clock.ts); here the same is worked out without storing it.
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
import { pairsOf, type Region } from '../format/region.js'
import { bootNumber, readClocks, type Clocks } from '../platform/system-clock.js'

/** By how many milliseconds two clocks must part to count as moved, as in src/store/clock.ts. */
const STEP_MS = 10
const SUSPENSION_MS = 1000

/** One instant, by both clocks. */
export interface Moment {
  /** The region's time, in milliseconds. */
  readonly time: number
  /** By how much the system's clock is ahead of it. */
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
  // A sweep is never before its time.
  const time = clocks.monotonic + offset + advance
  return { time: Number.isNaN(time) ? (words[HEADER_SWEEP_TICK] >>> 0) * EXPIRY_TICK_MS : time, steps: steps || 0 }
}

/** What to add to the monotonic clock. */
function offsetOf({ words, doubles }: Region, { monotonic, wall, boot }: Clocks): number {
  const offset = doubles[HEADER_CLOCK_OFFSET / 2]
  const last = (words[HEADER_SWEEP_TICK] >>> 0) * EXPIRY_TICK_MS - doubles[HEADER_CLOCK_ADVANCE / 2] || 0
  const known = pairsOf(words)[HEADER_CLOCK_BOOT / 2]
  const own = bootNumber()
  // Who cannot tell which start of the system this is takes it for that one, unless time would have gone back.
  const isOfThisStart = own === 0n ? offset !== 0 && offset + monotonic >= last : known === own
  if (!isOfThisStart || !Number.isFinite(offset)) {
    return Math.max(wall - (doubles[HEADER_CLOCK_STEPS / 2] || 0), last) - monotonic
  }
  const expected = doubles[HEADER_CLOCK_START / 2] + boot - monotonic
  return expected - offset > SUSPENSION_MS ? expected : offset
}
