import { describe } from '../base/describe.js'
import { MapsafeError } from '../base/errors.js'
import type { ValueEncoder } from '../codec/value.js'
import type { Key } from '../format/key.js'
import type { InContext } from '../platform/context.js'
import type { LoadContext } from './options.js'
import { monotonic } from '../platform/system-clock.js'

/**
 * Loads that may time out under a caller before it gives up: it takes part in replacing the first, and not for ever.
 */
const MAX_TIMEOUTS = 2

/** One call of getOrLoad that waits. */
export interface Caller<V> {
  readonly loader: (key: never, context: LoadContext) => unknown
  /** Runs what is run for this call, its loader above all, in the call's own asynchronous context. */
  readonly inContext: InContext
  /** Milliseconds. */
  readonly timeout: number
  readonly negativeTtl: number
  /** Stores what the loader returned in place of the lease. @returns whether the lease was still there */
  readonly store: (encoder: ValueEncoder, lease: number) => boolean
  readonly resolve: (value: V) => void
  readonly reject: (reason: unknown) => void
}

/** How long a call still waits. By this thread's own clock, which neither a damaged region nor a new date can stop. */
interface Patience {
  deadline: number
  timeouts: number
}

/**
 * The calls that wait for the value of one key, in the order in which they came, and how long each of them still does.
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

  /** No call's deadline is before this; by this thread's own clock. */
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

  /** Resolves all calls, each with what `give` returns for it. */
  resolveAll(give: () => V): void {
    for (const caller of this.#all.keys()) {
      const value = give()
      this.#all.delete(caller)
      caller.resolve(value)
    }
  }

  /** Another load begins, for which each call waits as long as its own time says. */
  restartClocks(): void {
    const now = monotonic()
    this.#earliest = Infinity
    for (const [caller, patience] of this.#all) {
      patience.deadline = now + caller.timeout
      this.#earliest = Math.min(this.#earliest, patience.deadline)
    }
  }

  /** A load timed out under all of them. */
  countTimeout(): void {
    for (const [caller, patience] of this.#all) {
      if (++patience.timeouts >= MAX_TIMEOUTS) this.#rejectForTimeout(caller)
    }
  }

  /**
   * Rejects those who have waited for one load for as long as they would.
   *
   * @param leader not this one: it has the load's own time
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
