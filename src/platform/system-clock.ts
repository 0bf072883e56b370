/**
 * The system's true clocks, even while fake timers replace `Date`, `performance` and `process.hrtime`.
 *
 * Thread safety: one thread.
 */
import { runInNewContext } from 'node:vm'
import { loadNative } from './addon.js'

/** The clocks at one instant, in milliseconds. */
export interface Clocks {
  /** The clock that the region's time is derived from: the same for all threads and processes of the machine. */
  readonly monotonic: number
  /** Time since 1970, by the clock that people set. */
  readonly wall: number
  /**
   * Time since the system started, including suspensions; NaN where it is unknown, or where the monotonic clock is as
   * good.
   */
  readonly boot: number
}

// Kept from when this module was loaded: fake timers replace the properties, not the functions.
const hrtime = process.hrtime.bind(process)
const GENUINE_NOW = 'function now() { [native code] }'
const dateNow: () => number =
  Function.prototype.toString.call(Date.now) === GENUINE_NOW
    ? Date.now.bind(Date)
    : (runInNewContext('Date.now') as () => number) // replaced before, so take another realm's

const clocks = new Float64Array(3)
let read = readFirst

/**
 * Returns the milliseconds of the monotonic clock, exact to the nanosecond; native/core/base/monotonic.h computes the
 * same number. Takes some 35 ns.
 */
export function monotonic(): number {
  return read()
}

/** Reads all clocks. Takes a fraction of a microsecond with the addon; without it, `wall` is in whole milliseconds. */
export function readClocks(): Clocks {
  const native = loadNative()
  if (native !== undefined) {
    native.readClocks(clocks)
    return { monotonic: clocks[0], wall: clocks[1], boot: clocks[2] }
  }
  // A thread that loses its processor between the two has to read them again.
  for (let tries = 0; ; tries++) {
    const before = monotonic()
    const wall = dateNow()
    if (monotonic() - before < 0.1 || tries === 8) return { monotonic: before, wall, boot: NaN }
  }
}

/**
 * Reads as {@link readClocks} does; without the addon, waits for the next millisecond to begin, so that `wall` is
 * exact.
 */
export function readClocksExactly(): Clocks {
  if (loadNative() === undefined) for (const start = dateNow(); dateNow() === start;);
  return readClocks()
}

let boot = 0n

/**
 * Returns a number above 0 that identifies this start of the system; 0 if it cannot be read: there is no /proc or no
 * addon, or the process has too many files open. The next call then tries again.
 */
export function bootNumber(): bigint {
  if (boot === 0n) boot = BigInt(`0x0${(loadNative()?.bootName() ?? '').replaceAll(/[^0-9a-f]/gi, '').slice(0, 15)}`)
  return boot
}

function readHighResolution(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

function readNative(): number {
  loadNative()!.readClocks(clocks)
  return clocks[0]
}

/** Finds out whether `process.hrtime` was replaced before this module was loaded. */
function readFirst(): number {
  const native = loadNative()
  const before = native === undefined ? 0 : readNative()
  const time = readHighResolution()
  read = native === undefined || (before <= time && time <= readNative()) ? readHighResolution : readNative
  return read()
}
