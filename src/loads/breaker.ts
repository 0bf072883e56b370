import { checkInteger, checkOptions, optionOf, wrongInput } from '../base/arguments.js'
import { MapsafeError } from '../base/errors.js'
import { BREAKER_PAIR, CLOSED, HALF_OPEN, OPEN, stateIn, untilIn, wordAfter } from '../format/breaker-word.js'
import { HEADER_BREAKER_COUNTS, HEADER_BREAKER_OPENED } from '../format/layout.js'
import { pairsOf } from '../format/region.js'
import { MAX_TIMEOUT } from './options.js'

/**
 * Options of a cache's circuit breaker. Every thread should give the same: they share its state, not its options. Wrong
 * ones, and names that are no options, throw `ERR_MAPSAFE_OPTIONS`.
 */
export interface BreakerOptions {
  /** The part of loads in a window whose failure opens the breaker: above 0, up to 1. Default: 0.5. */
  readonly threshold?: number | undefined
  /** Loads in a window below which it stays closed, however many fail: an integer of at least 1. Default: 10. */
  readonly volumeThreshold?: number | undefined
  /** Length of a window in milliseconds: an integer of at least 1. Windows follow each other. Default: 10,000. */
  readonly duration?: number | undefined
  /** Milliseconds after it opened until one load is let through: an integer from 1 to 2^31 - 1. Default: 30,000. */
  readonly halfOpenAfter?: number | undefined
}

export type ResolvedBreakerOptions = { readonly [name in keyof BreakerOptions]-?: number }

const DEFAULTS: ResolvedBreakerOptions = {
  threshold: 0.5,
  volumeThreshold: 10,
  duration: 10_000,
  halfOpenAfter: 30_000,
}

/**
 * @returns undefined for no breaker
 * @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for wrong options
 */
export function resolveBreaker(given: unknown): ResolvedBreakerOptions | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return DEFAULTS
  const names = Object.keys(DEFAULTS) as (keyof BreakerOptions)[]
  checkOptions(given, names)
  const options = { ...DEFAULTS }
  for (const name of names) {
    const option = optionOf(given, name)
    if (option === undefined) continue
    if (name === 'threshold') {
      if (!(typeof option === 'number' && option > 0 && option <= 1)) {
        throw wrongInput('Option breaker.threshold', option, 'a number above 0, up to 1')
      }
    } else checkInteger(`Option breaker.${name}`, option, 1, name === 'volumeThreshold' ? MAX_COUNT : MAX_TIMEOUT)
    Object.assign(options, { [name]: option })
  }
  return options
}

// The word of counts: number of the window, loads that ended in it, and those of them that failed.
const WINDOW_MASK = 0xfffff
const LOADS_SHIFT = 20n
const FAILURES_SHIFT = 42n
const COUNT_MASK = 0x3fffffn
const MAX_COUNT = Number(COUNT_MASK)

/** The permission for one call of a loader, which is told once how that ended. */
export interface Pass {
  /** The state's word, if this is the probe; else undefined. */
  readonly probe: bigint | undefined
  isReported: boolean
}

/** Where the parts of a call of many keys find the pass that they share. */
export interface SharedPass {
  pass: Pass | undefined
}

/**
 * A circuit breaker for the loads of a cache. Its state lies in the region's header, so that all threads and processes
 * share it: if many loads fail, loaders are not called for a while; then one of everybody is, the probe, and decides.
 * See docs/internals/protocol.md, "Loads".
 *
 * Both words change by compare-and-swap alone, so that no count is lost, and a state is left by one thread only. A probe
 * whose thread dies holds no other up: its permission ends with its load's time limit.
 *
 * Thread safety: one thread; any number of breakers share the words.
 */
export class Breaker {
  readonly #pairs: BigUint64Array

  constructor(
    private readonly words: Int32Array,
    private readonly options: ResolvedBreakerOptions,
    private readonly now: () => number,
  ) {
    this.#pairs = pairsOf(words)
  }

  /** Returns whether loads are refused now: until some time has passed, or while another load is the probe. */
  isOpen(): boolean {
    return isClosedTo(this.#state, this.now())
  }

  /**
   * Asks to call a loader.
   *
   * @param timeout milliseconds that its load may take
   * @returns undefined if it is refused
   */
  take(timeout: number): Pass | undefined {
    for (;;) {
      const state = this.#state
      const now = this.now()
      if (stateIn(state) === CLOSED) return { probe: undefined, isReported: false }
      if (isClosedTo(state, now)) return undefined
      const probe = wordAfter(state, HALF_OPEN, now + timeout)
      // One of all threads that try succeeds; the others find its probe.
      if (this.#replace(state, probe)) return { probe, isReported: false }
    }
  }

  /** Tells how the call of a loader ended; undefined if it was given up because nobody waits. */
  report(pass: Pass, failed: boolean | undefined): void {
    if (pass.isReported) return
    pass.isReported = true
    if (pass.probe === undefined) {
      if (failed !== undefined) this.#count(failed)
    } else if (failed === true) {
      this.#open(pass.probe)
    } else if (failed === false) {
      // Nothing counts that was counted before it opened. Cleared first: whoever finds it closed must not find old
      // counts, also where this thread dies in between.
      if (this.#state === pass.probe) Atomics.store(this.#pairs, COUNTS, 0n)
      this.#replace(pass.probe, wordAfter(pass.probe, CLOSED, 0))
    } else {
      this.#replace(pass.probe, wordAfter(pass.probe, OPEN, this.now()))
    }
  }

  #count(failed: boolean): void {
    const { threshold, volumeThreshold, duration } = this.options
    for (;;) {
      const state = this.#state
      if (stateIn(state) !== CLOSED) return // began before it opened
      const counts = Atomics.load(this.#pairs, COUNTS)
      const known = Number(counts & BigInt(WINDOW_MASK))
      const current = Math.floor(this.now() / duration) & WINDOW_MASK
      // Another thread may be in the next window already.
      const window = isNext(known, current) ? known : current
      const isSame = known === window
      const loads = Math.min((isSame ? Number((counts >> LOADS_SHIFT) & COUNT_MASK) : 0) + 1, MAX_COUNT)
      const before = isSame ? Number(counts >> FAILURES_SHIFT) : 0
      const failures = Math.min(before + Number(failed), MAX_COUNT)
      const next = BigInt(window) | (BigInt(loads) << LOADS_SHIFT) | (BigInt(failures) << FAILURES_SHIFT)
      if (Atomics.compareExchange(this.#pairs, COUNTS, counts, next) !== counts) continue
      if (failed && loads >= volumeThreshold && failures >= loads * threshold) this.#open(state)
      return
    }
  }

  #open(state: bigint): void {
    if (!this.#replace(state, wordAfter(state, OPEN, this.now() + this.options.halfOpenAfter))) return
    Atomics.add(this.words, HEADER_BREAKER_OPENED, 1)
  }

  get #state(): bigint {
    return Atomics.load(this.#pairs, BREAKER_PAIR)
  }

  #replace(state: bigint, next: bigint): boolean {
    return Atomics.compareExchange(this.#pairs, BREAKER_PAIR, state, next) === state
  }
}

const COUNTS = HEADER_BREAKER_COUNTS / 2

/** Returns whether a state refuses loads. A time beyond what any thread writes is damaged, and not believed. */
function isClosedTo(state: bigint, now: number): boolean {
  const until = untilIn(state)
  return stateIn(state) !== CLOSED && now < until && until - now <= MAX_TIMEOUT + 1
}

/** Returns whether window `a` follows `b`. */
function isNext(a: number, b: number): boolean {
  return ((a - b) & WINDOW_MASK) === 1
}

/** The error of a call whose load the breaker refuses. */
export function refused(): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_BREAKER',
    'The circuit breaker of this cache is open, because too many loads failed: the loader was not called. Call again later, ' +
      'or let staleIfError keep expired values for this time.',
  )
}
