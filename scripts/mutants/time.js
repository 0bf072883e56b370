/**
 * Sabotages of the region's time. Each breaks one rule of docs/internals/protocol.md, "Time"; some test must go red for each.
 * `find` occurs exactly once in `file`; `also` is a second edit of the same file.
 */
export const mutants = [
  {
    name: 'coarse-clock',
    why: 'who writes and who reads go by clocks that are apart',
    file: 'src/engine/typescript/index/expiry.ts',
    find: 'return regionTime(region.doubles, monotonic())',
    replace: 'return regionTime(region.doubles, Math.floor(monotonic() / 4) * 4)',
  },
  {
    name: 'near-hits-by-the-ticking-clock',
    why: 'a near hit is late for as long as the ticking thread waits for a processor',
    file: 'src/store/clock.ts',
    find: 'const now = regionTime(this.doubles, time)',
    replace: 'const now = regionTime(this.doubles, Math.min(time, this.ticking[0]))',
  },
  {
    name: 'ticking-clock-without-margin',
    why: 'a near hit is late by as much as the clock that ticks',
    file: 'src/store/clock.ts',
    find: 'this.sure = now + MARGIN_MS',
    replace: 'this.sure = now',
  },
  {
    name: 'short-lives-by-the-ticking-clock',
    why: 'near hits of short lives are late for as long as the ticking thread waits for a processor',
    file: 'src/store/near/near-cache.ts',
    find: '    if (expiresAt !== undefined) this.clock.distrust()\n',
    replace: '',
  },
  {
    name: 'advance-not-noticed',
    why: 'near hits go on by the time before a test moved it',
    file: 'src/store/clock.ts',
    find: 'this.doubles[ADVANCE] === this.advanced &&',
    replace: 'this.advanced < Infinity &&',
  },
  {
    name: 'ticking-clock-never-checked',
    why: 'after a stop any number of near hits is late',
    file: 'src/store/clock.ts',
    find: 'this.trusting-- > 0',
    replace: 'this.trusting-- < Infinity',
  },
  {
    name: 'time-by-the-date',
    why: 'a step of the system clock, or a mocked one, ends lifetimes or prolongs them',
    file: 'src/platform/system-clock.ts',
    find: 'return seconds * 1e3 + nanoseconds / 1e6',
    replace: 'return seconds < 0 ? nanoseconds : Date.now()',
  },
  {
    name: 'replaced-clock-trusted',
    why: 'fake timers installed before the package is loaded stop its time',
    file: 'src/platform/system-clock.ts',
    find: 'native === undefined || (before <= time && time <= readNative())',
    replace: 'native === undefined || before <= time || time <= readNative()',
  },
  {
    name: 'steps-not-noted',
    why: 'after a step of the system clock, times are told and taken as if there had been none',
    file: 'src/store/clock.ts',
    find: '    this.noteSteps(clocks)\n',
    replace: '    if (clocks.wall < 0) this.noteSteps(clocks)\n',
  },
  {
    name: 'told-times-not-converted',
    why: 'getEntry tells an end that the system clock never shows',
    file: 'src/store/clock.ts',
    find: 'return Math.floor(time + this.steps())',
    replace: 'return Math.floor(time)',
  },
  {
    name: 'given-times-not-converted',
    why: 'an end that is given is met a step too early or too late',
    file: 'src/store/clock.ts',
    find: 'return time - this.steps()',
    replace: 'return time',
  },
  {
    name: 'offset-kept-over-a-start',
    why: 'after a start of the system entries live longer by all the time it had run',
    file: 'src/store/clock.ts',
    find: 'boot === bootNumber() && Number',
    replace: 'boot !== 0n && Number',
  },
  {
    name: 'suspension-not-counted',
    why: 'entries outlive their time by that for which the system was suspended',
    file: 'src/store/clock.ts',
    find: '> SUSPENSION_MS) this.replace(OFFSET, offset, expected)',
    replace: '> Infinity) this.replace(OFFSET, offset, expected)',
  },
  {
    name: 'suspension-counted-again',
    why: 'each thread that notices a suspension adds it',
    file: 'src/store/clock.ts',
    find: 'else if (expected - asDouble(offset) > SUSPENSION_MS) this.replace(OFFSET, offset, expected)',
    replace: 'else if (expected - asDouble(offset) > SUSPENSION_MS) this.advance(expected - asDouble(offset))',
  },
]
