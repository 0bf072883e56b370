import { describe } from '../base/describe.js'
import { MapsafeError } from '../base/errors.js'
import type { SharedPass } from './breaker.js'
import type { ValueEncoder } from '../codec/value.js'
import type { Key } from '../format/key.js'
import type { Labels } from '../format/labels.js'
import type { InContext } from '../platform/context.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * Number of loads that may time out before a waiting call gives up: it takes part in replacing the first, but not for
 * ever.
 */
const MAX_TIMEOUTS = 2

/** One call of getOrLoad that waits. */
export interface Caller<V> {
  readonly loader: (key: never, context: never) => unknown
  /** Runs functions for this call, its loader above all, in the call's own asynchronous context. */
  readonly inContext: InContext
  /** How long the call's load may take, and how long the call waits for another call's load, in milliseconds. */
  readonly timeout: number
  readonly negativeTtl: number
  /** Whether the call takes an expired value at once, and which. */
  readonly takesStale: boolean
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  /** How long the loaded value lives unless its loader says otherwise, in milliseconds. */
  readonly ttl: number
  /**
   * Stores the loader's value in place of the entry or lease with `version`.
   *
   * @param ttl what the loader said; undefined if it did not
   * @returns whether that was still there
   */
  readonly store: (
    encoder: ValueEncoder,
    version: number,
    ttl: number | undefined,
    labels: Labels | undefined,
  ) => boolean
  /** Returns the labels of the value, with their present generations; undefined if it has none. */
  readonly labels: () => Labels | undefined
  readonly resolve: (value: V) => void
  readonly reject: (reason: unknown) => void
  /** Where the parts of a call of many keys find the breaker's pass that they share. */
  readonly sharedPass: SharedPass | undefined
  /** Ends the call without a value; undefined for a call of one key, whose own loader runs then. */
  readonly resolveMissing: (() => void) | undefined
}

/** How long a call still waits, by this thread's own clock, which neither a damaged region nor a new date can stop. */
interface Patience {
  deadline: number
  timeouts: number
}

/**
 * The calls that wait for the value of one key, in the order in which they came, and how long each still waits.
 *
 * Thread safety: one thread. Settling a call runs no user code.
 */
export class Callers<V> {
  readonly #all = new Map<Caller<V>, Patience>()
  #earliest = Infinity

  /** @param rescue gives a call an expired value instead of a failure, if it takes one. @returns whether it did */
  constructor(
    private readonly key: Key,
    private readonly rescue: (caller: Caller<V>) => boolean,
  ) {}

  get size(): number {
    return this.#all.size
  }

  /** A time, by this thread's own clock, that no call's deadline precedes. */
  get earliest(): number {
    return this.#earliest
  }

  /** The call that came first of those that still wait. */
  get first(): Caller<V> {
    const [first] = this.#all.keys()
    return first
  }

  add(caller: Caller<V>): void {
    const deadline = monotonic() + caller.timeout
    this.#all.set(caller, { deadline, timeouts: 0 })
    this.#earliest = Math.min(this.#earliest, deadline)
  }

  /** Rejects one call. @returns whether it still waited */
  reject(caller: Caller<V>, reason: unknown): boolean {
    if (!this.#all.delete(caller)) return false
    caller.reject(reason)
    return true
  }

  rejectAll(reason: unknown): void {
    for (const caller of this.#all.keys()) this.reject(caller, reason)
  }

  /** Rejects all calls with the failure of a load, but for those that are rescued. */
  failAll(reason: unknown): void {
    for (const caller of this.#all.keys()) this.fail(caller, reason)
  }

  /** Rejects one call with the failure of a load, unless it is rescued or waits no longer. */
  fail(caller: Caller<V>, reason: unknown): void {
    if (this.#all.has(caller) && !this.rescue(caller)) this.reject(caller, reason)
  }

  /** Resolves all calls, each with the result of its own call of `give`. */
  resolveAll(give: () => V): void {
    for (const caller of this.#all.keys()) this.resolve(caller, give)
  }

  /** Resolves the calls that `takes` chooses, as {@link Callers.resolveAll} does. @returns whether there were any */
  resolveSome(takes: (caller: Caller<V>) => boolean, give: () => V): boolean {
    let any = false
    for (const caller of this.#all.keys()) {
      if (!takes(caller)) continue
      any = true
      this.resolve(caller, give)
    }
    return any
  }

  resolve(caller: Caller<V>, give: () => V): void {
    const value = give()
    this.#all.delete(caller)
    caller.resolve(value)
  }

  /** Ends the calls of many keys, for whose load of this key there is no value. */
  endMissing(): void {
    for (const caller of this.#all.keys()) {
      if (caller.resolveMissing === undefined) continue
      this.#all.delete(caller)
      caller.resolveMissing()
    }
  }

  /** Restarts all clocks, because another load begins: each call waits for it as long as its own `timeout` says. */
  restartClocks(): void {
    const now = monotonic()
    this.#earliest = Infinity
    for (const [caller, patience] of this.#all) {
      patience.deadline = now + caller.timeout
      this.#earliest = Math.min(this.#earliest, patience.deadline)
    }
  }

  /** Counts, for all calls, a load that timed out. */
  countTimeout(): void {
    for (const [caller, patience] of this.#all) {
      if (++patience.timeouts >= MAX_TIMEOUTS) this.#rejectForTimeout(caller)
    }
  }

  /**
   * Rejects the calls that have waited for one load as long as their `timeout` says.
   * @param leader is not rejected: the load's own time bounds it
   */
  rejectLate(leader: Caller<V> | undefined): void {
    const now = monotonic()
    if (now < this.#earliest) return
    this.#earliest = Infinity
    for (const [caller, { deadline }] of this.#all) {
      if (caller === leader) continue
      if (now >= deadline) this.#rejectForTimeout(caller)
      else this.#earliest = Math.min(this.#earliest, deadline)
    }
  }

  #rejectForTimeout(caller: Caller<V>): void {
    this.fail(caller, timedOut(this.key, caller.timeout))
  }
}

/** The error for a load that took longer than `timeout` milliseconds. */
export function timedOut(key: Key, timeout: number): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_TIMEOUT',
    `The load of key ${describe(key)} took longer than ${timeout} ms. Let the loader give up earlier, by its signal, or allow it ` +
      'more time with the option timeout.',
  )
}
