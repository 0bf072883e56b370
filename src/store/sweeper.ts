import { HASH_END, RESULT_STATUS, type Engine } from '../engine/engine.js'
import type { Clock } from './clock.js'
import type { ReadCounts } from './near/read-counts.js'
import { EXPIRY_TICK_MS, HEADER_SWEEP_TICK } from '../format/layout.js'
import { monotonic } from '../platform/system-clock.js'

/** One slice of sweeping to so many writes of entries that expire ... */
const WRITES_PER_SLICE = 64
/** ... and looking at so many segments, of which it cleans up one at most. 64 writes fill an eighth of a segment. */
const LOOKS_PER_SLICE = 8

const INTERVAL_MS = 1000
/** In the background: how long a slice may take, about, how long it pauses after it ... */
const SLICE_MS = 1
const PAUSE_MS = 10
/** ... and what it does before it looks at the time: 4 segments cleaned up, or 256 looked at. */
const LOOKS_PER_STEP = 256

/**
 * Has expired entries deleted, so that their memory comes back without anyone reading them: a few with this thread's
 * writes, and the rest in the background. Of all threads that have the cache open, one at a time walks over it in the
 * background: whoever first notices that a new tick of the region's clock began. A thread that ends in the middle
 * leaves nothing to be cleared up; the next tick's walk does what it left.
 *
 * The timers keep neither the process nor the cache's own object alive.
 *
 * Thread safety: one thread.
 */
export class Sweeper {
  /** Where the next slice that comes with a write begins. */
  private cursor = 0
  private writes = 0
  /** Where the walk in the background goes on; HASH_END if there is none. */
  private walk = HASH_END
  private readonly interval: NodeJS.Timeout
  private pause: NodeJS.Timeout | undefined

  /** @param reads counts to be shared as often */
  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    reads: ReadCounts,
  ) {
    this.interval = setInterval(() => {
      reads.flush(engine.words)
      clock.settle()
      this.beginWalk()
    }, INTERVAL_MS).unref()
  }

  stop(): void {
    clearInterval(this.interval)
    clearTimeout(this.pause)
  }

  /**
   * To be called before writes of entries that expire, while this thread holds nothing. The result of the engine
   * changes.
   */
  noteWrites(count: number): void {
    this.writes += count
    if (this.writes < WRITES_PER_SLICE) return
    this.writes = 0
    const next = this.engine.sweep(this.cursor, LOOKS_PER_SLICE)
    this.cursor = next >= HASH_END || this.engine.result[RESULT_STATUS] < 0 ? 0 : next
  }

  /** Walks over the whole cache, if no thread did so in this tick. */
  private beginWalk(): void {
    if (this.walk < HASH_END) return
    const { words } = this.engine
    const tick = Math.floor(this.clock.now() / EXPIRY_TICK_MS) | 0
    const last = Atomics.load(words, HEADER_SWEEP_TICK)
    if (last === tick || Atomics.compareExchange(words, HEADER_SWEEP_TICK, last, tick) !== last) return
    this.walk = 0
    this.goOn()
  }

  private goOn(): void {
    const end = monotonic() + SLICE_MS
    do {
      this.walk = this.engine.sweep(this.walk, LOOKS_PER_STEP)
      // A damaged region: whoever reads or writes is told.
      if (this.engine.result[RESULT_STATUS] < 0) this.walk = HASH_END
    } while (this.walk < HASH_END && monotonic() < end)
    if (this.walk === HASH_END) return
    this.pause = setTimeout(() => {
      this.goOn()
    }, PAUSE_MS).unref()
  }
}
