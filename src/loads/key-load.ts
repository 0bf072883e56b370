import type { Key } from '../format/key.js'
import type { Labels } from '../format/labels.js'
import { LABEL_WORDS, MAX_ENTRY_LABELS } from '../format/layout.js'
import { monotonic } from '../platform/system-clock.js'
import { AwaitedLoad } from './awaited-load.js'
import { refused, type Pass } from './breaker.js'
import { Callers, timedOut, type Caller } from './callers.js'
import { describeFailure, reviveFailure } from './failure.js'
import { DELIVERED, FAILED, MISSING, type Content, type Outcome, type Stale } from './lease.js'
import type { Sight } from './leases.js'
import type { LoadHost } from './load-host.js'
import { MAX_TIMEOUT } from './options.js'
import { NO_VALUE, OwnLoad } from './own-load.js'
import { lookAgain, type RunningLoad } from './running-loads.js'
import { isServedAtOnce, isServedOnFailure } from './stale.js'

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
  #timer: NodeJS.Timeout | undefined
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
    return this.#load === undefined ? this.#awaited?.running : this.#load.running
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
    return this.#awaited?.isOvertaken !== true
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
      if (!this.isOver && this.#load === undefined) {
        this.#awaited?.announce()
        this.#takeSteps() // what changed before the announcement wakes no thread
      }
      if (!this.isOver) this.#schedule()
    } catch (error) {
      this.#end()
      this.#callers.rejectAll(error)
    }
  }

  #takeSteps(): void {
    while (!this.isOver && this.#step());
  }

  /** @returns whether there is more to do at once */
  #step(): boolean {
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
    return this.#awaited?.goesOn() === true ? this.#rejectLate() : this.#decide(this.#look())
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
      if (sight.is === 'lease' && awaited.isIn(sight.lease)) return sight
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
    // Whether it is still there is looked up before it is given to a call, so its labels need no look.
    this.#stale = { content: leases.encode(value), version, expiredAt: expiresAt, until: Infinity, labels: undefined }
    return leases.look(forcedKey)
  }

  #decide(sight: Sight<V>): boolean {
    if (sight.is === 'value') return this.#resolveAll(this.host.leases.copiesOf(sight.value, this.#callers.size))
    if (sight.is === 'nothing') {
      if (this.#base === 0) this.#stale = undefined
      return this.#begin(undefined, undefined)
    }
    if (sight.is === 'stale') {
      const { version, expiredAt, until, labels } = sight
      this.#stale = { content: this.host.leases.encode(sight.value), version, expiredAt, until, labels }
      return this.#begin(version, undefined)
    }
    const { lease, version } = sight
    const { load, outcome } = lease
    // A forced load is overtaken by any write of the value that it is to replace.
    const isLapsed = sight.isLapsed || (load !== undefined && load.base !== this.#base)
    const now = this.host.now()
    if (this.#base === 0) this.#stale = isLapsed ? undefined : lease.stale
    if (outcome !== undefined && this.#awaited?.endsBy(outcome) === true) {
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
    if (this.#awaited?.is(load) === true) this.#awaited.update(version, isLapsed)
    else {
      this.#callers.restartClocks()
      this.#awaited ??= new AwaitedLoad(this.host, this.advance)
      this.#awaited.follow(this.#leaseKey, load, version, isLapsed)
      lookAgain()
    }
    return this.#rejectLate()
  }

  /** Gives the expired value to the calls that take it while it is being loaded anew. */
  #serve(): void {
    const stale = this.#stale
    if (stale === undefined || this.#base !== 0 || this.host.leases.isInvalidated(stale)) return
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
      if (this.host.leases.isInvalidated(stale)) return false
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
      this.#stopWaiting()
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
    // Now, before the loader is called: what is invalidated from now on ends the lease, and the value is not stored.
    const labels = leader.labels()
    const all = joined(labels, this.#stale?.labels)
    if (all === undefined) this.#stale = undefined // more labels than a lease can have
    const stale = this.#base === 0 ? this.#stale : undefined
    const taken = host.leases.leave(this.#leaseKey, { load, outcome, stale }, version, all ?? labels)
    if (taken === undefined) return true // another thread was first
    const pass = this.#passFor(leader)
    if (pass === undefined && host.breaker !== undefined) {
      // The breaker opened, or another load became the probe, between the look at it and the lease.
      // What the lease keeps for others stays.
      host.leases.leave(this.#leaseKey, { load: undefined, outcome, stale }, taken, all ?? labels)
      return this.#refuse()
    }
    host.countLoad()
    this.#stopWaiting()
    this.#callers.restartClocks()
    const place = { key: this.key, leaseKey: this.#leaseKey, version: taken }
    this.#load = new OwnLoad(host, place, leader, load, pass, labels)
    this.#run(this.#load)
    return !this.isOver
  }

  #passFor({ sharedPass, timeout }: Caller<V>): Pass | undefined {
    const pass = sharedPass?.pass ?? this.host.breaker?.take(timeout)
    if (sharedPass !== undefined) sharedPass.pass = pass
    return pass
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
    load.start(this.#stale).then(
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
    load.report(false)
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
        isStored = load.leader.store(encoder, load.guard, load.ttl, load.labels)
        result = this.host.decode(encoder, value)
      } finally {
        encoder.release()
      }
    } catch (error) {
      this.#failed(load, error)
      return
    }
    const give = this.host.leases.copiesOf(result, this.#callers.size)
    if (!isStored || load.isForced) load.tell(DELIVERED, result)
    this.#resolveAll(give)
  }

  /** Handles the end of a load of many keys that found no value for this one. */
  #missed(load: OwnLoad<V>): void {
    load.tell(MISSING, undefined)
    this.#forgetLoad()
    this.#stale = undefined
    this.#callers.endMissing()
    this.advance()
  }

  /** Handles a rejection. Never throws, since no later handler would catch that. */
  #failed(load: OwnLoad<V>, reason: unknown): void {
    if (this.#load !== load) return
    load.report(true)
    const failure = describeFailure(reason)
    if (this.#load !== load) return // a getter in the thrown value ended the load, as one in a loaded value can
    load.tell(FAILED, failure)
    this.#end()
    this.#callers.failAll(reason)
  }

  /** Gives up a load that took too long. Its caller is rejected; one of the other calls takes over. */
  #giveUp(load: OwnLoad<V>): void {
    const reason = timedOut(this.key, load.leader.timeout)
    this.#forgetLoad()
    load.report(true)
    this.host.countFailure()
    this.#callers.fail(load.leader, reason)
    this.#callers.countTimeout()
    load.abort(reason)
  }

  #rejectLate(): false {
    this.#callers.rejectLate(this.#load?.leader)
    if (this.#callers.size === 0 && !this.#hasServed) this.#abandon(undefined)
    return false
  }

  #schedule(): void {
    const now = monotonic()
    const next = Math.min(this.#load?.deadline ?? now + (this.#awaited?.pause() ?? 0), this.#callers.earliest)
    // A loader that calls getOrLoad with its own key at once has set a timer already.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.advance, Math.max(1, next - now))
    if (this.#callers.size === 0) this.#timer.unref()
  }

  #stopWaiting(): void {
    this.#awaited?.leave()
    this.#awaited = undefined
  }

  /** Gives the load up because no call waits any more. */
  #abandon(reason: unknown): void {
    const load = this.#load
    this.#end()
    if (load === undefined) return
    load.report(undefined)
    load.release()
    load.abort(reason)
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#awaited?.leave()
    this.isOver = true
    this.#forgetLoad()
    this.host.finished(this)
  }

  #forgetLoad(): void {
    this.#load?.forget()
    this.#load = undefined
  }

  #resolveAll(give: () => V): false {
    this.#end()
    this.#callers.resolveAll(give)
    return false
  }

  #decode(content: Content): V {
    return this.host.leases.decodeContent(content) as V
  }
}

/** Returns the labels of both, each once; undefined if they are more than an entry can have. */
function joined(one: Labels = [], other: Labels = []): Labels | undefined {
  const all = [...one]
  for (let i = 0; i < other.length; i += LABEL_WORDS) {
    const has = (_: number, at: number): boolean =>
      at % LABEL_WORDS === 0 && all[at] === other[i] && all[at + 1] === other[i + 1]
    if (!all.some(has)) all.push(other[i], other[i + 1])
  }
  return all.length > MAX_ENTRY_LABELS * LABEL_WORDS ? undefined : all
}
