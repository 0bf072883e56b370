import type { Engine } from '../engine/engine.js'
import { pairsOf } from '../format/region.js'
import { isOfStart, regionTime, STEP_MS, SUSPENSION_MS, timeAtStart } from '../format/region-time.js'
import {
  HEADER_CLOCK_ADVANCE,
  HEADER_CLOCK_BOOT,
  HEADER_CLOCK_START,
  HEADER_CLOCK_OFFSET,
  HEADER_CLOCK_STEPS,
} from '../format/layout.js'
import { openNativeClock } from '../platform/addon.js'
import { bootNumber, monotonic, readClocks, readClocksExactly, type Clocks } from '../platform/system-clock.js'

/**
 * After a near hit asked the true clock, hits trust that entries which expire this many milliseconds later have not
 * expired.
 */
const MARGIN_MS = 100
/**
 * The trust ends when the clock thread, which ticks every 10 milliseconds, has gone on by so many: it may be late by
 * the rest of the margin.
 */
const TRUSTED_MS = 20
/** The trust lasts for no more hits than this: after a stop of all threads, the clock thread may not run again yet. */
const TRUSTING_HITS = 31
/** Used where no clock thread runs, so that every hit asks the true clock. */
const NEVER_TRUSTED = Float64Array.of(Infinity)

const OFFSET = HEADER_CLOCK_OFFSET / 2
const ADVANCE = HEADER_CLOCK_ADVANCE / 2
const EPOCH = HEADER_CLOCK_START / 2
const BOOT = HEADER_CLOCK_BOOT / 2
const STEPS = HEADER_CLOCK_STEPS / 2

/**
 * The clock of a cache, by which its entries and leases end: the monotonic clock plus the offset in the region's
 * header, the same for all threads and processes. It goes on evenly when the system's clock is set; times that users
 * give and get are times of the system's clock, and are converted. See docs/internals/protocol.md, "Time".
 *
 * Thread safety: one thread.
 */
export class Clock {
  readonly words: Int32Array
  readonly doubles: Float64Array
  private readonly pairs: BigUint64Array
  private readonly ticking: Float64Array
  // The result of the last hit that asked the true clock, and the number of further hits that may trust it.
  private sure = 0
  private until = 0
  private advanced = 0
  private trusting = 0

  constructor({ words }: Engine) {
    this.words = words
    this.pairs = pairsOf(words)
    this.doubles = new Float64Array(words.buffer, words.byteOffset, words.length / 2)
    this.ticking = openNativeClock() ?? NEVER_TRUSTED
    this.settle()
  }

  /** Returns the region's time, in milliseconds. Takes some 35 ns. */
  now(): number {
    return regionTime(this.doubles, monotonic())
  }

  /**
   * Returns whether `expiresAt`, a region's time, has passed, as far as a near hit must know. Exact unless the clock
   * thread is late by 80 milliseconds or more.
   */
  hasPassed(expiresAt: number): boolean {
    if (
      expiresAt > this.sure &&
      this.ticking[0] < this.until &&
      this.doubles[ADVANCE] === this.advanced &&
      this.trusting-- > 0
    ) {
      return false
    }
    return this.hasTrulyPassed(expiresAt)
  }

  /**
   * Makes the next hit ask the true clock. The near-cache calls it when it takes in an entry that expires. So an entry
   * that lives no longer than the margin is never a hit by the clock thread's time.
   */
  distrust(): void {
    this.trusting = 0
  }

  /** Converts a time of the system's clock into the region's time. */
  ofWall(time: number): number {
    return time - this.steps()
  }

  /** Converts a region's time into a time of the system's clock, in whole milliseconds. */
  toWall(time: number): number {
    return Math.floor(time + this.steps())
  }

  /** Moves the region's time forward, for all threads. */
  advance(milliseconds: number): void {
    while (!this.replace(ADVANCE, this.pairs[ADVANCE], this.doubles[ADVANCE] + milliseconds));
  }

  /**
   * Adjusts the region's time to events of the system's clocks since a thread last did so: a start, a suspension, a
   * step.
   */
  settle(): void {
    // Read in this order: see docs/internals/protocol.md, "Time".
    const boot = Atomics.load(this.pairs, BOOT)
    const epoch = Atomics.load(this.pairs, EPOCH)
    const offset = Atomics.load(this.pairs, OFFSET)
    const isRunning = isOfStart(this, boot, bootNumber(), monotonic()) && Number.isFinite(asDouble(offset))
    const clocks = isRunning ? readClocks() : readClocksExactly()
    if (!isRunning) this.start(clocks, boot, epoch, offset)
    else if (!Number.isNaN(clocks.boot)) this.resume(clocks, epoch, offset)
    this.noteSteps(clocks)
  }

  private hasTrulyPassed(expiresAt: number): boolean {
    const time = monotonic()
    const now = regionTime(this.doubles, time)
    this.sure = now + MARGIN_MS
    this.until = time + TRUSTED_MS
    this.advanced = this.doubles[ADVANCE]
    this.trusting = TRUSTING_HITS
    return expiresAt <= now
  }

  /** Lets the region's time go on by the system's clock, after the system started anew or in a new region. */
  private start({ monotonic, wall, boot }: Clocks, known: bigint, epoch: bigint, offset: bigint): void {
    const time = timeAtStart(this, wall)
    // The thread that noted the offset may have been unable to identify its start: if it was the present one, the
    // offset stays.
    if (known !== 0n || !(Math.abs(asDouble(offset) + monotonic - time) <= STEP_MS)) {
      this.replace(EPOCH, epoch, time - boot)
      this.replace(OFFSET, offset, time - monotonic)
    }
    Atomics.compareExchange(this.pairs, BOOT, known, bootNumber())
  }

  /** Adds the time for which the monotonic clock stopped, after a suspension. */
  private resume({ monotonic, boot }: Clocks, epoch: bigint, offset: bigint): void {
    const expected = asDouble(epoch) + boot - monotonic
    if (Number.isNaN(expected)) this.replace(EPOCH, epoch, asDouble(offset) - (boot - monotonic))
    else if (expected - asDouble(offset) > SUSPENSION_MS) this.replace(OFFSET, offset, expected)
  }

  /**
   * Returns how far the system's clock is ahead of the region's time, in milliseconds: 0 until that clock is first set.
   */
  private steps(): number {
    if (Math.abs(this.apart(readClocks()) - this.doubles[STEPS]) > STEP_MS) this.settle()
    return this.doubles[STEPS]
  }

  private noteSteps(clocks: Clocks): void {
    const known = Atomics.load(this.pairs, STEPS)
    const steps = this.apart(clocks)
    if (!(Math.abs(steps - asDouble(known)) <= STEP_MS)) this.replace(STEPS, known, Math.floor(steps))
  }

  private apart({ wall, monotonic }: Clocks): number {
    return wall - monotonic - this.doubles[OFFSET]
  }

  private replace(pair: number, from: bigint, to: number): boolean {
    return Atomics.compareExchange(this.pairs, pair, from, asBits(to)) === from
  }
}

const double = new Float64Array(1)
const bits = new BigUint64Array(double.buffer)

function asDouble(pair: bigint): number {
  bits[0] = pair
  return double[0]
}

function asBits(number: number): bigint {
  double[0] = number
  return bits[0]
}
