import { ownKey, type Key } from '../format/key.js'
import { monotonic } from '../platform/system-clock.js'
import type { Pass } from './breaker.js'
import type { Caller } from './callers.js'
import { LoaderContext } from './context.js'
import { FAILED, isSameLoad, type Load, type Outcome, type Stale } from './lease.js'
import type { Labels } from '../format/labels.js'
import type { LoadHost } from './load-host.js'
import { beginLoad, endLoad, runLoader, type RunningLoad } from './running-loads.js'

/**
 * Times that a load tries to end its lease. A lease lapses once; the bound is for a damaged region, where it could seem
 * to lapse for ever.
 */
const MAX_TRIES = 8

/** A loader's result that stands for no value; only that of a load of many keys. */
export const NO_VALUE = Symbol('no value')

/** Where a load's lease lies. */
interface Place {
  /** The key whose value is loaded. */
  readonly key: Key
  /** The key under which the lease lies: another one in a forced load. */
  readonly leaseKey: Key
  /** Version of the lease. */
  readonly version: number
}

/**
 * A load that this thread runs, from the lease that it took on: the call of its loader, and how other threads learn its
 * end by the lease.
 *
 * Thread safety: one thread.
 */
export class OwnLoad<V> {
  /** When the load is given up, by this thread's own clock. */
  readonly deadline: number
  readonly running: RunningLoad
  /** Version of the entry that its value is to replace: of the lease, or in a forced load of the value. */
  readonly guard: number
  /** When it was made, right before its loader was called. */
  readonly #began: number
  /** What the loader gets; undefined until it is called. */
  #context: LoaderContext<V> | undefined

  /**
   * @param leader the call whose loader it runs
   * @param name as the lease has it
   * @param pass the breaker's permission for it
   * @param labels those of its value, with their generations before the loader is called
   */
  constructor(
    private readonly host: LoadHost<V>,
    private readonly place: Place,
    readonly leader: Caller<V>,
    private readonly name: Load,
    private readonly pass: Pass | undefined,
    readonly labels: Labels | undefined,
  ) {
    this.#began = monotonic()
    this.deadline = this.#began + leader.timeout
    this.guard = name.base === 0 ? place.version : name.base
    this.running = beginLoad(name, place.key, host.memory)
  }

  get isForced(): boolean {
    return this.name.base !== 0
  }

  /** How long the value lives, if the loader said so. */
  get ttl(): number | undefined {
    return this.#context && LoaderContext.ttlOf(this.#context)
  }

  /**
   * Calls the loader, in the context of its call.
   *
   * @param stale the value that there was before
   */
  start(stale: Stale | undefined): Promise<unknown> {
    const { loader, inContext } = this.leader
    const { leases } = this.host
    const before = stale && { version: stale.version, read: () => leases.decodeContent(stale.content) as V }
    const context = new LoaderContext(this.leader.ttl, before)
    this.#context = context
    // An error that the loader throws at once becomes a rejection, too. The loader gets a key of its own, which it may
    // change.
    const call = (): Promise<unknown> =>
      new Promise((resolve) => {
        resolve(loader(ownKey(this.place.key) as never, context as never))
      })
    return inContext(() => runLoader(this.running, call))
  }

  /** Tells the breaker how the load ended; undefined if it was given up because no call waits. */
  report(failed: boolean | undefined): void {
    if (this.pass !== undefined) this.host.breaker?.report(this.pass, failed)
  }

  /** Notes that the load is over for this thread: its value is stored, it failed, or it was given up. Called once. */
  forget(): void {
    endLoad(this.running)
    this.host.countTime(monotonic() - this.#began)
  }

  /**
   * Aborts the loader's signal. Its listeners run at once, in the loader's context. Node.js reports errors that they
   * throw as uncaught.
   */
  abort(reason: unknown): void {
    const context = this.#context
    if (context === undefined) return
    this.leader.inContext(() => {
      LoaderContext.abort(context, reason)
    })
  }

  /**
   * Leaves the outcome of a load that stores no value, for the calls that wait in other threads.
   * @param told a value or failure without user code
   */
  tell(state: Outcome['state'], told: unknown): void {
    const { leases } = this.host
    try {
      if (state === FAILED) this.host.countFailure()
      const content = leases.encode(told)
      this.#withLease((version, isLapsed, last, labels) => {
        const now = this.host.now()
        // The expired value can still be returned.
        const stale = last !== undefined && !isLapsed && now < last.until && state === FAILED ? last : undefined
        const { negativeTtl } = this.leader
        // An outcome with 0 reaches no later call, for any state of the looking thread's clock.
        const until = state === FAILED && !isLapsed && negativeTtl > 0 ? now + negativeTtl : 0
        const { owner, number } = this.name
        const outcome = { state, owner, number, until, content }
        return leases.leave(this.place.leaseKey, { load: undefined, outcome, stale }, version, labels) !== undefined
      })
    } catch {
      // The write can fail for want of room, say. Waiting calls then see that no load is under way, and load
      // themselves.
      this.release()
    }
  }

  /** Takes the lease away: no other call need wait for it. */
  release(): void {
    try {
      this.#takeAway()
    } catch {
      // Inside a function that decides on a write, no write is allowed; this thread writes right after it.
      queueMicrotask(() => {
        try {
          this.#takeAway()
        } catch {
          // The lease then ends by its own deadline.
        }
      })
    }
  }

  #takeAway(): void {
    this.#withLease((version) => this.host.leases.remove(this.place.leaseKey, version))
  }

  /**
   * Lets `use` replace or remove the load's lease, if that is still there, perhaps lapsed, and again if another thread
   * changed it meanwhile. A lease left behind by a living thread would be waited for until its time is up.
   *
   * @param use gets the lease's version, the expired value noted in it and its labels, and says whether the lease still had that version
   */
  #withLease(
    use: (version: number, isLapsed: boolean, stale: Stale | undefined, labels: Labels | undefined) => boolean,
  ): void {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const sight = this.host.leases.look(this.place.leaseKey)
      if (sight.is !== 'lease' || sight.lease.load === undefined || !isSameLoad(sight.lease.load, this.name)) return
      if (use(sight.version, sight.isLapsed, sight.lease.stale, sight.labels)) return
    }
  }
}
