import { HEADER_CLOCK_ADVANCE, HEADER_CLOCK_OFFSET } from './layout.js'

/**
 * Returns the region's time when the monotonic clock shows `monotonic`, in milliseconds. Adds it up as `Now` of
 * native/core/index/expiry.h does, to the last bit.
 *
 * @param doubles the region; plain loads of its doubles are whole on the 64-bit processors that Node.js runs on
 */
export function regionTime(doubles: Float64Array, monotonic: number): number {
  return monotonic + doubles[HEADER_CLOCK_OFFSET / 2] + doubles[HEADER_CLOCK_ADVANCE / 2]
}
