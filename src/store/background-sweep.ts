import { HASH_END, RESULT_STATUS, type Engine } from '../engine/engine.js'
import { monotonic } from '../platform/system-clock.js'

/** Approximate time that a slice may take, and the pause after it. */
const SLICE_MS = 1
const PAUSE_MS = 10
/** Work of a slice between two looks at the time: one segment cleaned up, or 64 looked at. */
const LOOKS_PER_STEP = 64

/**
 * A walk over a whole map that deletes what has expired or was invalidated, in slices. Its timers keep neither the process
 * nor the map's own object alive.
 *
 * Thread safety: one thread.
 */
export class BackgroundSweep {
  /** Where the walk goes on; HASH_END if none is under way. */
  #at = HASH_END
  #pause: NodeJS.Timeout | undefined

  constructor(private readonly engine: Engine) {}

  get isUnderWay(): boolean {
    return this.#at < HASH_END
  }

  /** Begins a walk, from the start if one is under way. */
  begin(): void {
    this.stop()
    this.#at = 0
    this.#goOn()
  }

  /** Begins a walk after a pause, from the start if one is under way. */
  beginLater(): void {
    this.stop()
    this.#at = 0
    this.#wait()
  }

  stop(): void {
    clearTimeout(this.#pause)
  }

  #goOn(): void {
    const end = monotonic() + SLICE_MS
    do {
      this.#at = this.engine.sweep(this.#at, LOOKS_PER_STEP)
      // The region is damaged: reads and writes report that.
      if (this.engine.result[RESULT_STATUS] < 0) this.#at = HASH_END
    } while (this.isUnderWay && monotonic() < end)
    if (this.isUnderWay) this.#wait()
  }

  #wait(): void {
    this.#pause = setTimeout(() => {
      this.#goOn()
    }, PAUSE_MS).unref()
  }
}
