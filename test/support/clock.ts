import { findPlace } from '../../src/public/handle.js'
import type { MapHandle } from '../../src/index.js'
import { HEADER_CLOCK_OFFSET } from '../../src/format/layout.js'

/** The clock by which a map's entries expire, for all threads: the system's, plus what a test adds. */
export class Clock {
  readonly #offset: Float64Array

  constructor(handle: MapHandle) {
    this.#offset = new Float64Array(findPlace(handle).region, HEADER_CLOCK_OFFSET * 4, 1)
  }

  now(): number {
    return Date.now() + this.#offset[0]
  }

  advance(milliseconds: number): void {
    this.#offset[0] += milliseconds
  }
}
