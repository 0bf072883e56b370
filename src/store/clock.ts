import type { Engine } from '../engine/engine.js'
import { openNativeClock } from '../platform/addon.js'
import { HEADER_CLOCK_OFFSET } from '../format/layout.js'

/**
 * The cheapest clock that agrees with `Engine.now`, for near hits and for writes. With the native engine one that a
 * thread of the addon keeps: a load, where a call would cost as much as a near hit. See
 * docs/decisions/2026-11-20-a-clock-that-ticks.md.
 *
 * Thread safety: one thread.
 */
export class Clock {
  private readonly ticking: Float64Array | undefined
  /** What the region adds to the time. */
  private readonly offset: Float64Array

  constructor(private readonly engine: Engine) {
    const { words } = engine
    this.ticking = engine.kind === 'native' ? openNativeClock() : undefined
    this.offset = new Float64Array(words.buffer, words.byteOffset + HEADER_CLOCK_OFFSET * 4, 1)
  }

  /** Milliseconds since 1970. */
  now(): number {
    const { ticking } = this
    return ticking === undefined ? this.engine.now() : ticking[0] + this.offset[0]
  }
}
