import type { Engine } from '../engine/engine.js'
import { pairsOf } from '../format/region.js'
import { regionTime } from '../format/region-time.js'
import {
  EXPIRY_TICK_MS,
  HEADER_CLOCK_ADVANCE,
  HEADER_CLOCK_BOOT,
  HEADER_CLOCK_START,
  HEADER_CLOCK_OFFSET,
  HEADER_CLOCK_STEPS,
  HEADER_SWEEP_TICK,
} from '../format/layout.js'
import { openNativeClock } from '../platform/addon.js'
import { bootNumber, monotonic, readClocks, readClocksExactly, type Clocks } from '../platform/system-clock.js'

/**
 * When a near hit asks the true clock, hits trust that what expires this many milliseconds later has not expired ...
 */
const MARGIN_MS = 100
/** ... until the clock that ticks, every 10 milliseconds, has gone on by so many: it may be as late as the rest ... */
const TRUSTED_MS = 20
/** ... and no more often than this: all threads may have been stopped, and the one that ticks is not back yet. */
const TRUSTING_HITS = 31
/** Where no clock ticks, every hit asks. */
const NEVER_TRUSTED = Float64Array.of(Infinity)
/** By how many milliseconds two clocks must part to count as moved: more than reading one after the other does. */
const STEP_MS = 10
const SUSPENSION_MS = 1000

const OFFSET = HEADER_CLOCK_OFFSET / 2
const ADVANCE = HEADER_CLOCK_ADVANCE / 2
const EPOCH = HEADER_CLOCK_START / 2
const BOOT = HEADER_CLOCK_BOOT / 2
const STEPS = HEADER_CLOCK_STEPS / 2

/**
 * The clock of a cache, by which its entries and leases end: the monotonic clock plus what the region's header says,
 * the same for all threads and processes. It goes on evenly when the system's clock is set; what users are told and
 * give as times of that clock is converted. See docs/internals/protocol.md, "Time".
 *
 * Thread safety: one thread.
 */
export class Clock {
  private readonly words: Int32Array
  private readonly doubles: Float64Array
  private readonly pairs: BigUint64Array
  private readonly ticking: Float64Array
  // What the last hit that asked the true clock found, and how many more may trust it.
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

  /** The region's time, in milliseconds. Some 35 ns. */
  now(): number {
    return regionTime(this.doubles, monotonic())
  }

  /**
   * Whether `expiresAt`, a region's time, has passed, as far as a near hit must know. Exact but where the ticking clock
   * is late by 80 milliseconds and more.
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
   * To be called when a near-cache takes in what expires: the next hit asks the true clock. So an entry that lives no
   * longer than the margin is never hit by the ticking one.
   */
  distrust(): void {
    this.trusting = 0
  }

  /** The region's time at a time of the system's clock. */
  ofWall(time: number): number {
    return time - this.steps()
  }

  /** What the system's clock shows at a time of the region's, in whole milliseconds. */
  toWall(time: number): number {
    return Math.floor(time + this.steps())
  }

  /** Moves the region's time, for all threads. */
  advance(milliseconds: number): void {
    while (!this.replace(ADVANCE, this.pairs[ADVANCE], this.doubles[ADVANCE] + milliseconds));
  }

  /** Takes note of what happened to the system's clocks since some thread last did: a start, a suspension, a step. */
  settle(): void {
    // Read in this order: see docs/internals/protocol.md, "Time".
    const boot = Atomics.load(this.pairs, BOOT)
    const epoch = Atomics.load(this.pairs, EPOCH)
    const offset = Atomics.load(this.pairs, OFFSET)
    const isRunning = this.isOfThisStart(boot) && Number.isFinite(asDouble(offset))
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

  /**
   * Whether the system has not started anew since the `known` start was noted. Who cannot tell which start this is takes
   * it for that one, unless time would have gone back.
   */
  private isOfThisStart(known: bigint): boolean {
    const own = bootNumber()
    if (own !== 0n) return known === own
    const offset = this.doubles[OFFSET]
    return offset !== 0 && offset + monotonic() >= this.lastSweep()
  }

  /** The region's time of the last sweep at the latest, less what tests moved it by. */
  private lastSweep(): number {
    return (this.words[HEADER_SWEEP_TICK] >>> 0) * EXPIRY_TICK_MS - this.doubles[ADVANCE] || 0
  }

  /** After the system started anew, or in a new region: the region's time goes on by the system's clock. */
  private start({ monotonic, wall, boot }: Clocks, known: bigint, epoch: bigint, offset: bigint): void {
    const time = Math.max(wall - (this.doubles[STEPS] || 0), this.lastSweep())
    // Whoever noted the offset may have been unable to tell of which start it is: if it is of this one, it stays.
    if (known !== 0n || !(Math.abs(asDouble(offset) + monotonic - time) <= STEP_MS)) {
      this.replace(EPOCH, epoch, time - boot)
      this.replace(OFFSET, offset, time - monotonic)
    }
    Atomics.compareExchange(this.pairs, BOOT, known, bootNumber())
  }

  /** After a suspension: adds the time for which the monotonic clock stopped. */
  private resume({ monotonic, boot }: Clocks, epoch: bigint, offset: bigint): void {
    const expected = asDouble(epoch) + boot - monotonic
    if (Number.isNaN(expected)) this.replace(EPOCH, epoch, asDouble(offset) - (boot - monotonic))
    else if (expected - asDouble(offset) > SUSPENSION_MS) this.replace(OFFSET, offset, expected)
  }

  /** By how much the system's clock is ahead of the region's time, in milliseconds: 0 until it is first set. */
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
