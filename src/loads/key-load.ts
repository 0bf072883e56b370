import { ownKey, type Key } from '../format/key.js'
import type { ValueEncoder } from '../codec/value.js'
import { Callers, timedOut, type Caller } from './callers.js'
import { describeFailure, reviveFailure } from './failure.js'
import { DELIVERED, FAILED, isSameLoad, STALE, type Content, type LoadName, type Outcome } from './lease.js'
import type { Leases, Sight } from './leases.js'
import { MAX_TIMEOUT } from './options.js'
import { beginLoad, endLoad, findLoad, lookAgain, runLoader, type RunningLoad } from './running-loads.js'
import { monotonic } from '../platform/system-clock.js'
import type { Watch } from './wake-ups.js'

/**
 * Milliseconds between two looks at another thread's lease where the end of its load wakes this thread: only a death
 * that no thread tells of, and damage, are found by looking.
 */
const PAUSE = 50
/**
 * The same where nothing wakes: the first pause, the factor by which it grows, and the longest.
 */
const FIRST_POLL = 1
const POLL_GROWTH = 1.25
const LAST_POLL = 8
/**
 * Times that a load tries to end its lease. A lease lapses once; the bound is for a damaged region, where it could seem
 * to lapse for ever.
 */
const MAX_TRIES = 8

/** The part of a thread's cache that a key load needs. */
export interface LoadHost<V> {
  readonly leases: Leases<V>
  /** Owner mark of this thread's engine. */
  readonly mark: number
  /** The memory of the cache. */
  readonly memory: ArrayBufferLike
  /** Whether the engine with that owner mark is still there: as was found a moment ago, or, if `now`, as it is now. */
  isAlive(mark: number, now?: boolean): boolean
  /** Announces a wait, and drops one: see {@link WakeUps}. */
  announce(key: Key, wake: () => void): Watch | undefined
  leave(watch: Watch, wake: () => void): void
  /** The region's time, in milliseconds. */
  now(): number
  /** A number that no other load of this thread has. */
  takeNumber(): number
  countLoad(): void
  countFailure(): void
  encode(value: unknown): ValueEncoder
  /** The value of an encoder, as a reader gets it. */
  decode(encoder: ValueEncoder, value: unknown): V
  /** Runs engine operations that share the wait that one call may take. */
  asOneCall(run: () => void): void
  /** Called when the key load is over. */
  finished(keyLoad: KeyLoad<V>): void
}

/** A load that this thread runs. */
interface OwnLoad<V> extends LoadName {
  readonly leader: Caller<V>
  readonly running: RunningLoad
  /** When the load is given up, by this thread's own clock. */
  readonly deadline: number
  readonly controller: AbortController
  /** The expired value that may be returned meanwhile, and until when. */
  readonly stale: { readonly content: Content; readonly until: number } | undefined
  /** Version of its lease. */
  readonly version: number
}

/** Another load that this thread waits for. */
interface AwaitedLoad extends LoadName {
  /** Whether the waiting calls take its outcome: not if a write overtook it before they came. */
  readonly tells: boolean
  readonly until: number
  version: number
  isLapsed: boolean
}

/**
 * The calls of one thread that wait for the value of one key, and the one load that they wait for: this thread's or
 * another's, whose end wakes this thread. See docs/internals/protocol.md, "Loads".
 *
 * Thread safety: one thread. It waits by timers and promises alone.
 */
export class KeyLoad<V> {
  isOver = false
  readonly #callers: Callers<V>
  #load: OwnLoad<V> | undefined
  #awaited: AwaitedLoad | undefined
  #watch: Watch | undefined
  #wasWoken = false
  #timer: NodeJS.Timeout | undefined
  #poll = FIRST_POLL

  constructor(
    readonly key: Key,
    private readonly host: LoadHost<V>,
  ) {
    this.#callers = new Callers(key)
  }

  /** The load that the calls wait for, if this thread runs it. */
  get running(): RunningLoad | undefined {
    if (this.#load !== undefined) return this.#load.running
    return this.#awaited === undefined ? undefined : findLoad(this.#awaited, this.host.memory)
  }

  /**
   * Returns whether a new call may wait with the others: not once a write overtook the load, which would bring the call
   * an older value.
   */
  takesCallers(): boolean {
    if (this.#load === undefined) this.advance()
    if (this.isOver) return false
    if (this.#load !== undefined) return this.host.leases.isUnchanged(this.key, this.#load.version)
    return this.#awaited?.tells !== true || !this.#awaited.isLapsed
  }

  join(caller: Caller<V>): void {
    this.#callers.add(caller)
    this.advance()
  }

  /** Rejects one call, if it still waits. */
  leave(caller: Caller<V>, reason: unknown): void {
    if (!this.#callers.reject(caller, reason)) return
    // A load that replaces an expired value goes on without callers, for later calls.
    if (this.#callers.size === 0 && this.#load?.stale === undefined) this.#abandon(reason)
  }

  /** Rejects all calls and gives the lease up. */
  close(reason: unknown): void {
    this.#abandon(reason)
    this.#callers.rejectAll(reason)
  }

  /** Takes the steps that are possible now, and looks again later. */
  readonly advance = (): void => {
    clearTimeout(this.#timer)
    try {
      this.#takeSteps()
      this.#wasWoken = false
      if (!this.isOver && this.#load === undefined) {
        this.#announce()
        this.#takeSteps() // what changed before the announcement wakes no thread
      }
      if (!this.isOver) this.#schedule()
    } catch (error) {
      this.#end()
      this.#callers.rejectAll(error)
    }
  }

  /** The end of the thread that loads may be what woke this one. */
  readonly #wake = (): void => {
    this.#wasWoken = true
    this.advance()
  }

  #takeSteps(): void {
    while (!this.isOver && this.#step());
  }

  /** @returns whether there is more to do at once */
  #step(): boolean {
    const { key, host } = this
    if (this.#load !== undefined) {
      const { stale, deadline } = this.#load
      if (stale !== undefined && host.now() < stale.until) {
        this.#callers.resolveAll(() => this.#decode(stale.content))
      }
      if (monotonic() < deadline) return this.#rejectLate()
      this.#giveUp(this.#load)
      return true
    }
    if (this.#callers.size === 0) {
      this.#end()
      return false
    }
    const awaited = this.#awaited
    const isUndecided =
      awaited !== undefined &&
      host.now() < awaited.until &&
      host.leases.isUnchanged(key, awaited.version) &&
      host.isAlive(awaited.owner, this.#wasWoken)
    return isUndecided ? this.#rejectLate() : this.#decide(host.leases.look(key))
  }

  #decide(sight: Sight<V>): boolean {
    if (sight.is === 'value') return this.#resolveAll(this.#copiesOf(sight.value))
    if (sight.is === 'nothing') return this.#begin(undefined, undefined)
    if (sight.is === 'stale') {
      const content = this.host.leases.encode(sight.value)
      return this.#begin(sight.version, { state: STALE, owner: 0, number: 0, until: sight.until, content })
    }
    const { lease, isLapsed, version } = sight
    const { load, outcome } = lease
    const now = this.host.now()
    if (outcome !== undefined && this.#awaited?.tells === true && isSameLoad(outcome, this.#awaited)) {
      return this.#settle(outcome)
    }
    // No thread writes an end beyond the longest timeout: a lease with such an end is damaged, and no call waits for
    // it.
    const isLoading =
      load !== undefined && this.host.isAlive(load.owner) && now < load.until && load.until - now <= MAX_TIMEOUT
    if (outcome !== undefined && !isLapsed && now < outcome.until) {
      if (outcome.state === FAILED && load === undefined) return this.#settle(outcome)
      if (outcome.state === STALE && isLoading) return this.#settle(outcome)
    }
    if (load === undefined) return this.#begin(version, outcome, isLapsed)
    if (!isLoading) {
      if (now >= load.until && load.owner !== this.host.mark) this.#callers.countTimeout()
      return this.#callers.size === 0 || this.#begin(version, outcome, isLapsed)
    }
    if (this.#awaited !== undefined && isSameLoad(load, this.#awaited)) {
      Object.assign(this.#awaited, { version, isLapsed })
    } else {
      this.#callers.restartClocks()
      this.#awaited = { ...load, tells: !isLapsed, version, isLapsed }
      lookAgain()
      this.#poll = FIRST_POLL
    }
    return this.#rejectLate()
  }

  #settle({ state, content }: Outcome): false {
    if (state !== FAILED) return this.#resolveAll(() => this.#decode(content))
    const reason = reviveFailure(this.host.leases.decodeContent(content))
    this.#end()
    this.#callers.rejectAll(reason)
    return false
  }

  /**
   * Takes the lease, in place of the entry with `version` if one is given, and loads.
   * @param outcome the outcome of the load before
   */
  #begin(version: number | undefined, outcome: Outcome | undefined, isLapsed = false): boolean {
    const { key, host } = this
    const leader = this.#callers.first
    const now = host.now()
    const load = { owner: host.mark, number: host.takeNumber(), until: now + leader.timeout }
    const isStale = outcome?.state === STALE
    const kept = isStale && (isLapsed || now >= outcome.until) ? undefined : outcome
    // The value is decoded before the lease is taken: a damaged one throws here, and must not leave a lease behind.
    const stale = isStale && kept !== undefined ? { content: kept.content, until: kept.until } : undefined
    if (stale !== undefined) this.#decode(stale.content)
    const taken = host.leases.leave(key, { load, outcome: kept }, version)
    if (taken === undefined) return true // another thread was first
    host.countLoad()
    this.#awaited = undefined
    this.#unwatch()
    this.#callers.restartClocks()
    const deadline = monotonic() + leader.timeout
    const running = beginLoad(load, key, host.memory)
    this.#load = { ...load, deadline, leader, running, controller: new AbortController(), version: taken, stale }
    this.#run(this.#load)
    return !this.isOver
  }

  #run(load: OwnLoad<V>): void {
    const { loader, inContext } = load.leader
    // An error that the loader throws at once becomes a rejection, too. The loader gets a key of its own, which it may
    // change.
    const start = (): Promise<unknown> =>
      new Promise((resolve) => {
        resolve(loader(ownKey(this.key) as never, { signal: load.controller.signal }))
      })
    const started = inContext(() => runLoader(load.running, start))
    started.then(
      (value) => {
        this.host.asOneCall(() => this.#loaded(load, value))
      },
      (reason: unknown) => {
        this.host.asOneCall(() => this.#failed(load, reason))
      },
    )
  }

  #loaded(load: OwnLoad<V>, value: unknown): void {
    if (this.#load !== load) return // the load was given up
    let result: V
    let isStored: boolean
    try {
      const encoder = this.host.encode(value)
      try {
        // A getter in the value may have ended this load: by closing the cache, or because the time is up.
        if (this.#load !== load) return
        isStored = load.leader.store(encoder, load.version)
        result = this.host.decode(encoder, value)
      } finally {
        encoder.release()
      }
    } catch (error) {
      this.#failed(load, error)
      return
    }
    const give = this.#copiesOf(result)
    if (!isStored) this.#tell(load, DELIVERED, result)
    this.#resolveAll(give)
  }

  /** Handles a rejection. Never throws, since no later handler would catch that. */
  #failed(load: OwnLoad<V>, reason: unknown): void {
    if (this.#load !== load) return
    const failure = describeFailure(reason)
    if (this.#load !== load) return // a getter in the thrown value ended the load, as one in a loaded value can
    this.#tell(load, FAILED, failure)
    this.#end()
    this.#callers.rejectAll(reason)
  }

  /**
   * Leaves the outcome of a load that stores no value, for the calls that wait in other threads.
   * @param told a value or failure without user code
   */
  #tell(load: OwnLoad<V>, state: typeof FAILED | typeof DELIVERED, told: unknown): void {
    const { leases } = this.host
    try {
      if (state === FAILED) this.host.countFailure()
      const content = leases.encode(told)
      this.#withLease(load, (version, isLapsed, last) => {
        const now = this.host.now()
        // The expired value can still be returned.
        const isStale = last?.state === STALE && !isLapsed && now < last.until && state === FAILED
        const { negativeTtl } = load.leader
        // An outcome with 0 reaches no later call, for any state of the looking thread's clock.
        const until = state === FAILED && !isLapsed && negativeTtl > 0 ? now + negativeTtl : 0
        const { owner, number } = load
        const outcome = isStale ? last : { state, owner, number, until, content }
        return leases.leave(this.key, { load: undefined, outcome }, version) !== undefined
      })
    } catch {
      // The write can fail for want of room, say. Waiting calls then see that no load is under way, and load
      // themselves.
      this.#release(load)
    }
  }

  /** Gives up a load that took too long. Its caller is rejected; one of the other calls takes over. */
  #giveUp(load: OwnLoad<V>): void {
    const reason = timedOut(this.key, load.leader.timeout)
    this.#forgetLoad()
    this.host.countFailure()
    this.#callers.reject(load.leader, reason)
    this.#callers.countTimeout()
    abort(load, reason)
  }

  #rejectLate(): false {
    this.#callers.rejectLate(this.#load?.leader)
    if (this.#callers.size === 0 && this.#load?.stale === undefined) this.#abandon(undefined)
    return false
  }

  #schedule(): void {
    const now = monotonic()
    const next = Math.min(this.#load?.deadline ?? now + this.#pause(), this.#callers.earliest)
    // A loader that calls getOrLoad with its own key at once has set a timer already.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.advance, Math.max(1, next - now))
    if (this.#callers.size === 0) this.#timer.unref()
  }

  /** Returns how many milliseconds to wait for a load until the next look. */
  #pause(): number {
    if (this.#watch === undefined) {
      const pause = this.#poll
      this.#poll = Math.min(pause * POLL_GROWTH, LAST_POLL)
      return pause
    }
    // No thread wakes another one when the load's time is up.
    return Math.min(PAUSE, (this.#awaited?.until ?? Infinity) - this.host.now())
  }

  #announce(): void {
    const watch = this.host.announce(this.key, this.#wake)
    if (this.#watch !== watch) this.#unwatch()
    this.#watch = watch
  }

  #unwatch(): void {
    if (this.#watch !== undefined) this.host.leave(this.#watch, this.#wake)
    this.#watch = undefined
  }

  /** Gives the load up because no call waits any more. */
  #abandon(reason: unknown): void {
    const load = this.#load
    this.#end()
    if (load === undefined) return
    this.#release(load)
    abort(load, reason)
  }

  #release(load: OwnLoad<V>): void {
    try {
      this.#takeAway(load)
    } catch {
      // Inside a function that decides on a write, no write is allowed; this thread writes right after it.
      queueMicrotask(() => {
        try {
          this.#takeAway(load)
        } catch {
          // The lease then ends by its own deadline.
        }
      })
    }
  }

  #takeAway(load: OwnLoad<V>): void {
    this.#withLease(load, (version) => this.host.leases.remove(this.key, version))
  }

  /**
   * Lets `use` replace or remove the load's lease, if that is still there, perhaps lapsed, and again if another thread
   * changed it meanwhile. A lease left behind by a living thread would be waited for until its time is up.
   *
   * @param use gets the lease's version and the outcome noted in it, and says whether the lease still had that version
   */
  #withLease(
    load: OwnLoad<V>,
    use: (version: number, isLapsed: boolean, outcome: Outcome | undefined) => boolean,
  ): void {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const sight = this.host.leases.look(this.key)
      if (sight.is !== 'lease' || sight.lease.load === undefined || !isSameLoad(sight.lease.load, load)) return
      if (use(sight.version, sight.isLapsed, sight.lease.outcome)) return
    }
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#unwatch()
    this.isOver = true
    this.#forgetLoad()
    this.host.finished(this)
  }

  #forgetLoad(): void {
    if (this.#load !== undefined) endLoad(this.#load.running)
    this.#load = undefined
  }

  #resolveAll(give: () => V): false {
    this.#end()
    this.#callers.resolveAll(give)
    return false
  }

  /** @param value the value decoded last. Each caller gets a copy of its own if it can be changed */
  #copiesOf(value: V): () => V {
    const { leases } = this.host
    if (this.#callers.size <= 1 || leases.isImmutable(value)) return () => value
    const content = leases.encode(value)
    return () => this.#decode(content)
  }

  #decode(content: Content): V {
    return this.host.leases.decodeContent(content) as V
  }
}

/**
 * Aborts the loader's signal. Its listeners run at once, in the loader's context. Node.js reports errors that they
 * throw as uncaught.
 */
function abort<V>({ leader, controller }: OwnLoad<V>, reason: unknown): void {
  leader.inContext(() => {
    controller.abort(reason)
  })
}
