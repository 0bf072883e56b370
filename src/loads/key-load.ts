import { ownKey, type Key } from '../format/key.js'
import type { ValueEncoder } from '../codec/value.js'
import { Callers, timedOut, type Caller } from './callers.js'
import { describeFailure, reviveFailure } from './failure.js'
import { DELIVERED, FAILED, isSameLoad, STALE, type Content, type LoadName, type Outcome } from './lease.js'
import type { Leases, Sight } from './leases.js'
import { MAX_TIMEOUT } from './options.js'
import { monotonic } from '../platform/system-clock.js'

/** Milliseconds between two looks at another thread's lease: at first, growing by the factor, and at most. */
const FIRST_POLL = 1
const POLL_GROWTH = 1.25
const LAST_POLL = 8
/**
 * Times that a load tries to end its lease. A lease lapses once; the bound is for a damaged region, where it could seem
 * to go on.
 */
const MAX_TRIES = 8

/** What a keyLoad needs to know of its thread's cache. */
export interface LoadHost<V> {
  readonly leases: Leases<V>
  /** Owner mark of this thread's engine. */
  readonly mark: number
  /** Whether the engine with that owner mark is still there. */
  isAlive(mark: number): boolean
  /** Milliseconds since 1970. */
  now(): number
  /** A number that no other load of this thread has. */
  takeNumber(): number
  countLoad(): void
  countFailure(): void
  encode(value: unknown): ValueEncoder
  /** The value of an encoder, as a reader gets it. */
  decode(encoder: ValueEncoder, value: unknown): V
  /** Runs engine operations that share what one call may wait. */
  asOneCall(run: () => void): void
  /** The keyLoad is over. */
  finished(keyLoad: KeyLoad<V>): void
}

/** A load that this thread runs. */
interface OwnLoad<V> extends LoadName {
  readonly leader: Caller<V>
  /** When it is given up, by this thread's own clock. */
  readonly deadline: number
  readonly controller: AbortController
  /** The expired value that may be served meanwhile, and until when. */
  readonly stale: { readonly content: Content; readonly until: number } | undefined
  /** Version of its lease. */
  readonly version: number
}

/** Another load that this thread waits for. */
interface AwaitedLoad extends LoadName {
  /** Whether those who wait take its outcome: not if it was overtaken before they came. */
  readonly tells: boolean
  readonly until: number
  version: number
  isLapsed: boolean
}

/**
 * The calls of one thread that wait for the value of one key, and the one load that they wait for: this thread's or,
 * polled with a timer, another's. See docs/internals/protocol.md, "Loads".
 *
 * Thread safety: one thread. Nothing here waits but by timers and promises.
 */
export class KeyLoad<V> {
  isOver = false
  readonly #callers: Callers<V>
  #load: OwnLoad<V> | undefined
  #awaited: AwaitedLoad | undefined
  #timer: NodeJS.Timeout | undefined
  #poll = FIRST_POLL

  constructor(
    readonly key: Key,
    private readonly host: LoadHost<V>,
  ) {
    this.#callers = new Callers(key)
  }

  /**
   * Whether a new call may wait with the others: not once the load was overtaken, which would bring it an older value.
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
    // A value that expired is loaded anew for those to come.
    if (this.#callers.size === 0 && this.#load?.stale === undefined) this.#abandon(reason)
  }

  /** Rejects all calls and gives the lease up. */
  close(reason: unknown): void {
    this.#abandon(reason)
    this.#callers.rejectAll(reason)
  }

  /** Does what can be done by now, and looks again later. */
  readonly advance = (): void => {
    clearTimeout(this.#timer)
    try {
      while (!this.isOver && this.#step());
      if (!this.isOver) this.#schedule()
    } catch (error) {
      this.#end()
      this.#callers.rejectAll(error)
    }
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
      host.isAlive(awaited.owner) &&
      host.leases.isUnchanged(key, awaited.version)
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
    // Nobody writes an end beyond the longest timeout: a lease that says so is damaged, and is not waited for.
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
   *
   * @param outcome of the load before
   */
  #begin(version: number | undefined, outcome: Outcome | undefined, isLapsed = false): boolean {
    const { key, host } = this
    const leader = this.#callers.first
    const now = host.now()
    const load = { owner: host.mark, number: host.takeNumber(), until: now + leader.timeout }
    const isStale = outcome?.state === STALE
    const kept = isStale && (isLapsed || now >= outcome.until) ? undefined : outcome
    // Decoded before the lease is taken: what is damaged throws here, and must not leave a lease behind.
    const stale = isStale && kept !== undefined ? { content: kept.content, until: kept.until } : undefined
    if (stale !== undefined) this.#decode(stale.content)
    const taken = host.leases.leave(key, { load, outcome: kept }, version)
    if (taken === undefined) return true // another thread was first
    host.countLoad()
    this.#awaited = undefined
    this.#callers.restartClocks()
    const deadline = monotonic() + leader.timeout
    this.#load = { ...load, deadline, leader, controller: new AbortController(), version: taken, stale }
    this.#run(this.#load)
    return !this.isOver
  }

  #run(load: OwnLoad<V>): void {
    const { loader, inContext } = load.leader
    // What the loader throws at once becomes a rejection, too. It gets a key of its own, which it may change.
    const started = inContext(
      () =>
        new Promise((resolve) => {
          resolve(loader(ownKey(this.key) as never, { signal: load.controller.signal }))
        }),
    )
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
    if (this.#load !== load) return // given up
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

  /** Never throws: it is the last to handle a rejection. */
  #failed(load: OwnLoad<V>, reason: unknown): void {
    if (this.#load !== load) return
    const failure = describeFailure(reason)
    if (this.#load !== load) return // a getter in what was thrown ended it, as in a value
    this.#tell(load, FAILED, failure)
    this.#end()
    this.#callers.rejectAll(reason)
  }

  /**
   * Leaves the outcome of a load that stores no value for those who wait in other threads.
   *
   * @param told a value or failure in which there is no user code
   */
  #tell(load: OwnLoad<V>, state: typeof FAILED | typeof DELIVERED, told: unknown): void {
    const { leases } = this.host
    try {
      if (state === FAILED) this.host.countFailure()
      const content = leases.encode(told)
      this.#withLease(load, (version, isLapsed, last) => {
        const now = this.host.now()
        // The value that expired goes on being served.
        const isStale = last?.state === STALE && !isLapsed && now < last.until && state === FAILED
        const { negativeTtl } = load.leader
        // 0 is told to nobody who comes later, whatever the clock of the one who looks says.
        const until = state === FAILED && !isLapsed && negativeTtl > 0 ? now + negativeTtl : 0
        const { owner, number } = load
        const outcome = isStale ? last : { state, owner, number, until, content }
        return leases.leave(this.key, { load: undefined, outcome }, version) !== undefined
      })
    } catch {
      // There is no room for it, say. Those who wait see that nobody loads any more, and load themselves.
      this.#release(load)
    }
  }

  /** The load took too long. Its caller learns that; one of the others takes over. */
  #giveUp(load: OwnLoad<V>): void {
    const reason = timedOut(this.key, load.leader.timeout)
    this.#load = undefined
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
    const next = Math.min(this.#load?.deadline ?? now + this.#poll, this.#callers.earliest)
    if (this.#load === undefined) this.#poll = Math.min(this.#poll * POLL_GROWTH, LAST_POLL)
    // A loader that asks for its own key at once has set one already.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.advance, Math.max(1, next - now))
    if (this.#callers.size === 0) this.#timer.unref()
  }

  /** Nobody waits any more. */
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
      // Inside a function that decides about a write nothing is written; its thread does so at once afterwards.
      queueMicrotask(() => {
        try {
          this.#takeAway(load)
        } catch {
          // Then the lease ends by its own deadline.
        }
      })
    }
  }

  #takeAway(load: OwnLoad<V>): void {
    this.#withLease(load, (version) => this.host.leases.remove(this.key, version))
  }

  /**
   * Has `use` replace or remove the load's lease, if that is still there, perhaps lapsed, and again if another thread
   * changed it meanwhile: a lease left behind by a thread that lives is waited for until its time is up.
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
    this.isOver = true
    this.#load = undefined
    this.host.finished(this)
  }

  #resolveAll(give: () => V): false {
    this.#end()
    this.#callers.resolveAll(give)
    return false
  }

  /** @param value decoded last; what one caller does with a value that can be changed is no concern of the others */
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

/** Listeners of the loader's signal run at once, in its context. What they throw is reported as uncaught by Node.js. */
function abort<V>({ leader, controller }: OwnLoad<V>, reason: unknown): void {
  leader.inContext(() => {
    controller.abort(reason)
  })
}
