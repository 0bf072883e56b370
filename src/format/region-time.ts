import {
  EXPIRY_TICK_MS,
  HEADER_CLOCK_ADVANCE,
  HEADER_CLOCK_OFFSET,
  HEADER_CLOCK_STEPS,
  HEADER_SWEEP_TICK,
} from './layout.js'

/** By how many milliseconds two clocks must part to count as moved: more than reading one after the other takes. */
export const STEP_MS = 10
/** By how many milliseconds the monotonic clock must have stopped to count as suspended. */
export const SUSPENSION_MS = 1000

/** What a region says of its time, which its clock changes and an inspection only reads. */
export interface TimeWords {
  readonly words: Int32Array
  readonly doubles: Float64Array
}

/**
 * Returns the region's time when the monotonic clock shows `monotonic`, in milliseconds. Adds it up as `Now` of
 * native/core/index/expiry.h does, to the last bit.
 *
 * @param doubles the region; plain loads of its doubles are whole on the 64-bit processors that Node.js runs on
 */
export function regionTime(doubles: Float64Array, monotonic: number): number {
  return monotonic + doubles[HEADER_CLOCK_OFFSET / 2] + doubles[HEADER_CLOCK_ADVANCE / 2]
}

/**
 * Whether the system has not started anew since the start with the number `known` was noted.
 *
 * @param own the number of this start; 0 if that cannot be known: then it is taken for the known one, unless time would
 *   have gone back
 */
export function isOfStart(region: TimeWords, known: bigint, own: bigint, monotonic: number): boolean {
  if (own !== 0n) return known === own
  const offset = region.doubles[HEADER_CLOCK_OFFSET / 2]
  return offset !== 0 && offset + monotonic >= lastSweep(region)
}

/** The region's time, in milliseconds, with which it goes on after a start of the system, or begins. */
export function timeAtStart(region: TimeWords, wall: number): number {
  return Math.max(wall - (region.doubles[HEADER_CLOCK_STEPS / 2] || 0), lastSweep(region))
}

/** The latest time of the last sweep, less what tests moved the time by: no later time is before it. */
function lastSweep({ words, doubles }: TimeWords): number {
  return (words[HEADER_SWEEP_TICK] >>> 0) * EXPIRY_TICK_MS - doubles[HEADER_CLOCK_ADVANCE / 2] || 0
}
