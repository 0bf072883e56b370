import { HASH_END, RESULT_STATUS, type Engine } from '../engine/engine.js'
import { BackgroundSweep } from './background-sweep.js'
import type { Clock } from './clock.js'
import type { ReadCounts } from './near/read-counts.js'
import { EXPIRY_TICK_MS, HEADER_SWEEP_TICK } from '../format/layout.js'

/** Number of writes of entries that expire for one slice of sweeping. */
const WRITES_PER_SLICE = 64
/**
 * Number of segments that a slice looks at; it cleans up one of them at most. 64 writes fill an eighth of a segment.
 */
const LOOKS_PER_SLICE = 8

const INTERVAL_MS = 1000

/**
 * Deletes expired entries, so that their memory is freed without a read of them: a few with this thread's writes, and
 * the rest in the background. One thread at a time, of all that have the cache open, walks over it in the background:
 * the one that first notices a new tick of the region's clock. A thread that ends in the middle leaves nothing to clear
 * up; the next tick's walk does the rest.
 *
 * The timers keep neither the process nor the cache's own object alive.
 *
 * Thread safety: one thread.
 */
export class Sweeper {
  /** Where the next slice that comes with a write begins. */
  private cursor = 0
  private writes = 0
  private readonly walk: BackgroundSweep
  private readonly interval: NodeJS.Timeout

  /** @param reads counts that are shared as often as the sweeper runs */
  constructor(
    private readonly engine: Engine,
    private readonly clock: Clock,
    reads: ReadCounts,
  ) {
    this.walk = new BackgroundSweep(engine)
    this.interval = setInterval(() => {
      reads.flush(engine.words)
      clock.settle()
      this.beginWalk()
    }, INTERVAL_MS).unref()
  }

  stop(): void {
    clearInterval(this.interval)
    this.walk.stop()
  }

  /**
   * Notes `count` writes of entries that expire. Called before them, while this thread holds nothing. Overwrites the
   * engine's result.
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
    if (this.walk.isUnderWay) return
    const { words } = this.engine
    const tick = Math.floor(this.clock.now() / EXPIRY_TICK_MS) | 0
    const last = Atomics.load(words, HEADER_SWEEP_TICK)
    if (last === tick || Atomics.compareExchange(words, HEADER_SWEEP_TICK, last, tick) !== last) {
      this.engine.sweep(0, 0) // gives back what this thread alone can
      return
    }
    this.walk.begin()
  }
}
