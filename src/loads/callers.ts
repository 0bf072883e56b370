import { describe } from '../base/describe.js'
import { MapsafeError } from '../base/errors.js'
import type { ValueEncoder } from '../codec/value.js'
import type { Key } from '../format/key.js'
import type { InContext } from '../platform/context.js'
import type { LoadContext } from './options.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * Number of loads that may time out before a waiting call gives up: it takes part in replacing the first, but not for
 * ever.
 */
const MAX_TIMEOUTS = 2

/** One call of getOrLoad that waits. */
export interface Caller<V> {
  readonly loader: (key: never, context: LoadContext) => unknown
  /** Runs functions for this call, its loader above all, in the call's own asynchronous context. */
  readonly inContext: InContext
  /** How long the call's load may take, and how long the call waits for another call's load, in milliseconds. */
  readonly timeout: number
  readonly negativeTtl: number
  /** Stores the loader's value in place of the lease. @returns whether the lease was still there */
  readonly store: (encoder: ValueEncoder, lease: number) => boolean
  readonly resolve: (value: V) => void
  readonly reject: (reason: unknown) => void
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

  constructor(private readonly key: Key) {}

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

  /** Resolves all calls, each with the result of its own call of `give`. */
  resolveAll(give: () => V): void {
    for (const caller of this.#all.keys()) {
      const value = give()
      this.#all.delete(caller)
      caller.resolve(value)
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
    this.reject(caller, timedOut(this.key, caller.timeout))
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
