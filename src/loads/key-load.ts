import { ownKey, type Key } from '../format/key.js'
import type { ValueEncoder } from '../codec/value.js'
import { refused, type Breaker, type Pass } from './breaker.js'
import { Callers, timedOut, type Caller } from './callers.js'
import { describeFailure, reviveFailure } from './failure.js'
import { loadContext } from './context.js'
import {
  DELIVERED,
  FAILED,
  isSameLoad,
  MISSING,
  type Content,
  type Lease,
  type LoadName,
  type Outcome,
  type Stale,
} from './lease.js'
import type { Leases, Sight } from './leases.js'
import { MAX_TIMEOUT } from './options.js'
import { beginLoad, endLoad, findLoad, lookAgain, runLoader, type RunningLoad } from './running-loads.js'
import { isServedAtOnce, isServedOnFailure } from './stale.js'
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

/** A loader's result that stands for no value; only that of a load of many keys. */
export const NO_VALUE = Symbol('no value')

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
  /** The cache's circuit breaker, if it has one. */
  readonly breaker: Breaker | undefined
  /** Counts a load that the breaker refused. */
  countRefusal(): void
  /** Counts a call that got an expired value because a load failed. */
  countRescue(): void
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
  /** Version of its lease. */
  readonly version: number
  /** As in `Load` of lease.ts. */
  readonly base: number
  /** Version of the entry that its value is to replace: of the lease, or in a forced load of the value. */
  readonly guard: number
  /** The breaker's permission for it. */
  readonly pass: Pass | undefined
  /** How long the value lives, if the loader said so. */
  ttl: number | undefined
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
  /** The value that there was before: an expired one or, in a forced load, the one that is there. */
  #stale: Stale | undefined
  /** Whether calls got it, so that the load goes on without any call. */
  #hasServed = false
  /** Version of the value beside which a forced load keeps its lease; 0 for a load whose lease is under the key. */
  #base = 0

  /** @param forcedKey in a key load of calls with `forceRefresh`, the key of the lease beside a value that is there */
  constructor(
    readonly key: Key,
    private readonly host: LoadHost<V>,
    private readonly forcedKey?: Key,
  ) {
    this.#callers = new Callers(key, (caller) => this.#rescue(caller))
  }

  get isForced(): boolean {
    return this.forcedKey !== undefined
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
    if (this.#load !== undefined) return this.host.leases.isUnchanged(this.key, this.#load.guard)
    if (this.#base !== 0 && !this.host.leases.isUnchanged(this.key, this.#base)) return false
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
    if (this.#callers.size === 0 && !this.#hasServed) this.#abandon(reason)
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
    const { host } = this
    if (this.#load !== undefined) {
      const { deadline } = this.#load
      this.#serve()
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
      host.leases.isUnchanged(this.#leaseKey, awaited.version) &&
      host.isAlive(awaited.owner, this.#wasWoken)
    return isUndecided ? this.#rejectLate() : this.#decide(this.#look())
  }

  /** The key under which the lease lies. */
  get #leaseKey(): Key {
    return this.#base === 0 ? this.key : this.forcedKey!
  }

  /** Looks at what decides: at the key, or in a forced load at the lease beside the value of the key. */
  #look(): Sight<V> {
    const { key, forcedKey, host } = this
    const { leases } = host
    if (forcedKey === undefined) return leases.look(key)
    const awaited = this.#awaited
    if (this.#base !== 0 && awaited !== undefined) {
      const sight = leases.look(forcedKey)
      if (sight.is === 'lease' && isOf(sight.lease, awaited)) return sight
    }
    const sight = leases.look(key)
    // After a wait, a value that was not there before is that of the load, or a newer one.
    const isAnswer = sight.is === 'value' && awaited !== undefined && sight.version !== this.#base
    if (sight.is !== 'value' || isAnswer) {
      this.#base = 0
      return sight
    }
    const { version, value, expiresAt = Infinity } = sight
    this.#base = version
    this.#stale = { content: leases.encode(value), version, expiredAt: expiresAt, until: Infinity }
    return leases.look(forcedKey)
  }

  #decide(sight: Sight<V>): boolean {
    if (sight.is === 'value') return this.#resolveAll(this.#copiesOf(sight.value))
    if (sight.is === 'nothing') {
      if (this.#base === 0) this.#stale = undefined
      return this.#begin(undefined, undefined)
    }
    if (sight.is === 'stale') {
      const { version, expiredAt, until } = sight
      this.#stale = { content: this.host.leases.encode(sight.value), version, expiredAt, until }
      return this.#begin(version, undefined)
    }
    const { lease, version } = sight
    const { load, outcome } = lease
    // A forced load is overtaken by any write of the value that it is to replace.
    const isLapsed = sight.isLapsed || (load !== undefined && load.base !== this.#base)
    const now = this.host.now()
    if (this.#base === 0) this.#stale = isLapsed ? undefined : lease.stale
    if (outcome !== undefined && this.#awaited?.tells === true && isSameLoad(outcome, this.#awaited)) {
      return this.#settle(outcome)
    }
    // No thread writes an end beyond the longest timeout: a lease with such an end is damaged, and no call waits for
    // it.
    const isLoading =
      load !== undefined && this.host.isAlive(load.owner) && now < load.until && load.until - now <= MAX_TIMEOUT
    if (outcome?.state === FAILED && load === undefined && !isLapsed && now < outcome.until && !this.isForced) {
      return this.#settle(outcome)
    }
    if (load === undefined) return this.#begin(version, outcome)
    if (isLoading) this.#serve()
    if (this.#callers.size === 0) return true // the next step ends it
    if (!isLoading) {
      if (now >= load.until && load.owner !== this.host.mark) this.#callers.countTimeout()
      return this.#callers.size === 0 || this.#begin(version, outcome)
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

  /** Gives the expired value to the calls that take it while it is being loaded anew. */
  #serve(): void {
    const stale = this.#stale
    if (stale === undefined || this.#base !== 0) return
    const now = this.host.now()
    const takes = (caller: Caller<V>): boolean => isServedAtOnce(stale, now, caller)
    if (this.#callers.resolveSome(takes, () => this.#decode(stale.content))) this.#hasServed = true
  }

  /** Gives one call the value that there was before, after a load failed. @returns whether the call takes it */
  #rescue(caller: Caller<V>): boolean {
    const stale = this.#stale
    if (stale === undefined || !isServedOnFailure(stale, this.host.now(), caller)) return false
    try {
      // Beside a forced load the value may have been deleted.
      if (this.#base !== 0 && !this.host.leases.isUnchanged(this.key, this.#base)) return false
      this.#callers.resolve(caller, () => this.#decode(stale.content))
      this.host.countRescue()
      return true
    } catch {
      return false // the region is damaged or closed; the call gets the failure
    }
  }

  /** @returns whether there is more to do at once */
  #settle({ state, content }: Outcome): boolean {
    if (state === MISSING) {
      this.#awaited = undefined
      this.#callers.endMissing()
      return true // calls of one key load themselves
    }
    if (state !== FAILED) return this.#resolveAll(() => this.#decode(content))
    const reason = reviveFailure(this.host.leases.decodeContent(content))
    this.#end()
    this.#callers.failAll(reason)
    return false
  }

  /**
   * Takes the lease, in place of the entry with `version` if one is given, and loads.
   * @param outcome the outcome of the load before
   */
  #begin(version: number | undefined, outcome: Outcome | undefined): boolean {
    const { host } = this
    const leader = this.#callers.first
    if (host.breaker?.isOpen() === true && leader.sharedPass?.pass === undefined) return this.#refuse()
    const now = host.now()
    const load = { owner: host.mark, number: host.takeNumber(), until: now + leader.timeout, base: this.#base }
    if (this.#stale !== undefined && !(now < this.#stale.until)) this.#stale = undefined
    // The value is decoded before the lease is taken: a damaged one throws here, and must not leave a lease behind.
    if (this.#stale !== undefined) this.#decode(this.#stale.content)
    const stale = this.#base === 0 ? this.#stale : undefined
    const taken = host.leases.leave(this.#leaseKey, { load, outcome, stale }, version)
    if (taken === undefined) return true // another thread was first
    const pass = this.#passFor(leader)
    if (pass === undefined && host.breaker !== undefined) {
      // The breaker opened, or another load became the probe, between the look at it and the lease.
      // What the lease keeps for others stays.
      host.leases.leave(this.#leaseKey, { load: undefined, outcome, stale }, taken)
      return this.#refuse()
    }
    host.countLoad()
    this.#awaited = undefined
    this.#unwatch()
    this.#callers.restartClocks()
    const deadline = monotonic() + leader.timeout
    const guard = this.#base === 0 ? taken : this.#base
    const controller = new AbortController()
    const running = beginLoad(load, this.key, host.memory)
    this.#load = { ...load, deadline, leader, running, controller, version: taken, guard, pass, ttl: undefined }
    this.#run(this.#load)
    return !this.isOver
  }

  #passFor({ sharedPass, timeout }: Caller<V>): Pass | undefined {
    const pass = sharedPass?.pass ?? this.host.breaker?.take(timeout)
    if (sharedPass !== undefined) sharedPass.pass = pass
    return pass
  }

  #report({ pass }: OwnLoad<V>, failed: boolean | undefined): void {
    if (pass !== undefined) this.host.breaker?.report(pass, failed)
  }

  /** Ends all calls, because the breaker lets no loader be called. */
  #refuse(): false {
    this.#serve()
    if (this.#callers.size > 0) this.host.countRefusal()
    this.#end()
    this.#callers.failAll(refused())
    return false
  }

  #run(load: OwnLoad<V>): void {
    const { loader, inContext } = load.leader
    const stale = this.#stale
    const context = loadContext(load, stale && { version: stale.version, read: () => this.#decode(stale.content) })
    // An error that the loader throws at once becomes a rejection, too. The loader gets a key of its own, which it may
    // change.
    const start = (): Promise<unknown> =>
      new Promise((resolve) => {
        resolve(loader(ownKey(this.key) as never, context as never))
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
    this.#report(load, false)
    if (value === NO_VALUE) {
      this.#missed(load)
      return
    }
    let result: V
    let isStored: boolean
    try {
      const encoder = this.host.encode(value)
      try {
        // A getter in the value may have ended this load: by closing the cache, or because the time is up.
        if (this.#load !== load) return
        isStored = load.leader.store(encoder, load.guard, load.ttl)
        result = this.host.decode(encoder, value)
      } finally {
        encoder.release()
      }
    } catch (error) {
      this.#failed(load, error)
      return
    }
    const give = this.#copiesOf(result)
    if (!isStored || load.base !== 0) this.#tell(load, DELIVERED, result)
    this.#resolveAll(give)
  }

  /** Handles the end of a load of many keys that found no value for this one. */
  #missed(load: OwnLoad<V>): void {
    this.#tell(load, MISSING, undefined)
    this.#forgetLoad()
    this.#stale = undefined
    this.#callers.endMissing()
    this.advance()
  }

  /** Handles a rejection. Never throws, since no later handler would catch that. */
  #failed(load: OwnLoad<V>, reason: unknown): void {
    if (this.#load !== load) return
    this.#report(load, true)
    const failure = describeFailure(reason)
    if (this.#load !== load) return // a getter in the thrown value ended the load, as one in a loaded value can
    this.#tell(load, FAILED, failure)
    this.#end()
    this.#callers.failAll(reason)
  }

  /**
   * Leaves the outcome of a load that stores no value, for the calls that wait in other threads.
   * @param told a value or failure without user code
   */
  #tell(load: OwnLoad<V>, state: Outcome['state'], told: unknown): void {
    const { leases } = this.host
    try {
      if (state === FAILED) this.host.countFailure()
      const content = leases.encode(told)
      this.#withLease(load, (version, isLapsed, last) => {
        const now = this.host.now()
        // The expired value can still be returned.
        const stale = last !== undefined && !isLapsed && now < last.until && state === FAILED ? last : undefined
        const { negativeTtl } = load.leader
        // An outcome with 0 reaches no later call, for any state of the looking thread's clock.
        const until = state === FAILED && !isLapsed && negativeTtl > 0 ? now + negativeTtl : 0
        const { owner, number } = load
        const outcome = { state, owner, number, until, content }
        return leases.leave(this.#leaseKey, { load: undefined, outcome, stale }, version) !== undefined
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
    this.#report(load, true)
    this.host.countFailure()
    this.#callers.fail(load.leader, reason)
    this.#callers.countTimeout()
    abort(load, reason)
  }

  #rejectLate(): false {
    this.#callers.rejectLate(this.#load?.leader)
    if (this.#callers.size === 0 && !this.#hasServed) this.#abandon(undefined)
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
    const watch = this.host.announce(this.#leaseKey, this.#wake)
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
    this.#report(load, undefined)
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
    this.#withLease(load, (version) => this.host.leases.remove(this.#leaseKey, version))
  }

  /**
   * Lets `use` replace or remove the load's lease, if that is still there, perhaps lapsed, and again if another thread
   * changed it meanwhile. A lease left behind by a living thread would be waited for until its time is up.
   *
   * @param use gets the lease's version and the expired value noted in it, and says whether the lease still had that version
   */
  #withLease(load: OwnLoad<V>, use: (version: number, isLapsed: boolean, stale: Stale | undefined) => boolean): void {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const sight = this.host.leases.look(this.#leaseKey)
      if (sight.is !== 'lease' || sight.lease.load === undefined || !isSameLoad(sight.lease.load, load)) return
      if (use(sight.version, sight.isLapsed, sight.lease.stale)) return
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

/** Returns whether a lease tells of a load: that it runs or, where the waiting calls take that, how it ended. */
function isOf({ load, outcome }: Lease, awaited: AwaitedLoad): boolean {
  if (load !== undefined && isSameLoad(load, awaited)) return true
  return outcome !== undefined && awaited.tells && isSameLoad(outcome, awaited)
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
