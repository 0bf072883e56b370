import { findPlace } from '../../src/public/handle.js'
import type { MapHandle } from '../../src/index.js'
import { HEADER_CLOCK_ADVANCE } from '../../src/format/layout.js'

/** The clock by which a cache's entries expire, for all threads, as users see it: the system's, plus what a test adds. */
export class Clock {
  readonly #offset: Float64Array

  constructor(handle: MapHandle) {
    this.#offset = new Float64Array(findPlace(handle).region, HEADER_CLOCK_ADVANCE * 4, 1)
  }

  now(): number {
    return Date.now() + this.#offset[0]
  }

  advance(milliseconds: number): void {
    this.#offset[0] += milliseconds
  }
}
