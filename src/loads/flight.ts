import { ownKey, type Key } from '../format/key.js'
import type { InContext } from '../platform/context.js'
import { encodeValue } from '../codec/value.js'
import { describe } from '../base/describe.js'
import { MapsafeError } from '../base/errors.js'
import { describeFailure, reviveFailure } from './failure.js'
import { DELIVERED, FAILED, isSameLoad, STALE, type Content, type LoadName, type Outcome } from './lease.js'
import type { Leases, Sight } from './leases.js'
import { MAX_TIMEOUT, type LoadContext } from './options.js'

/**
 * Loads that may time out under a caller before it gives up: it takes part in replacing the first, and not for ever.
 */
const MAX_TIMEOUTS = 2
/** Milliseconds between two looks at another thread's lease: at first, growing by the factor, and at most. */
const FIRST_POLL = 1
const POLL_GROWTH = 1.25
const LAST_POLL = 8
/**
 * Times that a load tries to end its lease. A lease lapses once; the bound is for a damaged region, where it could seem
 * to go on.
 */
const MAX_TRIES = 8

/** One call of getOrLoad that waits. */
export interface Caller<V> {
  readonly loader: (key: never, context: LoadContext) => unknown
  /** Runs what is run for this call, its loader above all, in the call's own asynchronous context. */
  readonly inContext: InContext
  /** Milliseconds. */
  readonly timeout: number
  readonly negativeTtl: number
  /** Stores what the loader returned in place of the lease. @returns whether the lease was still there */
  readonly store: (encoder: ReturnType<typeof encodeValue>, lease: number) => boolean
  readonly resolve: (value: V) => void
  readonly reject: (reason: unknown) => void
}

/** What a flight needs to know of its thread's cache. */
export interface Tower<V> {
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
  /** The value of an encoder, as a reader gets it. */
  decode(encoder: ReturnType<typeof encodeValue>, value: unknown): V
  /** The flight is over. */
  landed(flight: Flight<V>): void
}

/** A load that this thread runs. */
interface OwnLoad<V> extends LoadName {
  readonly leader: Caller<V>
  /** When it is given up, by this thread's own clock. */
  readonly deadline: number
  readonly controller: AbortController
  /** The expired value that may be served meanwhile, and until when. */
  readonly stale: { readonly value: V; readonly until: number } | undefined
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

/** Of a call that waits. By this thread's own clock, which neither a damaged region nor a new date can stop. */
interface Patience {
  deadline: number
  timeouts: number
}

/**
 * The calls of one thread that wait for the value of one key, and the one load that they wait for: this thread's or,
 * polled with a timer, another's. See docs/protocol.md, "Loads".
 *
 * Thread safety: one thread. Nothing here waits but by timers and promises.
 */
export class Flight<V> {
  isOver = false
  readonly #callers = new Map<Caller<V>, Patience>()
  #load: OwnLoad<V> | undefined
  #awaited: AwaitedLoad | undefined
  #timer: NodeJS.Timeout | undefined
  #poll = FIRST_POLL
  /** No caller's deadline is before this; by this thread's own clock. */
  #earliest = Infinity

  constructor(
    readonly key: Key,
    private readonly tower: Tower<V>,
  ) {}

  /**
   * Whether a new call may wait with the others: not once the load was overtaken, which would bring it an older value.
   */
  takesCallers(): boolean {
    if (this.#load === undefined) this.advance()
    if (this.isOver) return false
    if (this.#load !== undefined) return this.tower.leases.isUnchanged(this.key, this.#load.version)
    return this.#awaited?.tells !== true || !this.#awaited.isLapsed
  }

  join(caller: Caller<V>): void {
    const deadline = performance.now() + caller.timeout
    this.#callers.set(caller, { deadline, timeouts: 0 })
    this.#earliest = Math.min(this.#earliest, deadline)
    this.advance()
  }

  /** Rejects one call, if it still waits. */
  leave(caller: Caller<V>, reason: unknown): void {
    if (!this.#callers.delete(caller)) return
    caller.reject(reason)
    // A value that expired is loaded anew for those to come.
    if (this.#callers.size === 0 && this.#load?.stale === undefined) this.#abandon(reason)
  }

  /** Rejects all calls and gives the lease up. */
  close(reason: unknown): void {
    this.#abandon(reason)
    this.#rejectAll(reason)
  }

  /** Does what can be done by now, and looks again later. */
  readonly advance = (): void => {
    clearTimeout(this.#timer)
    try {
      while (!this.isOver && this.#step());
      if (!this.isOver) this.#schedule()
    } catch (error) {
      this.#end()
      this.#rejectAll(error)
    }
  }

  /** @returns whether there is more to do at once */
  #step(): boolean {
    const { key, tower } = this
    if (this.#load !== undefined) {
      const { stale, deadline } = this.#load
      if (stale !== undefined && tower.now() < stale.until) this.#serve(stale.value)
      if (performance.now() < deadline) return this.#rejectLate()
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
      tower.now() < awaited.until &&
      tower.isAlive(awaited.owner) &&
      tower.leases.isUnchanged(key, awaited.version)
    return isUndecided ? this.#rejectLate() : this.#decide(tower.leases.look(key))
  }

  #decide(sight: Sight<V>): boolean {
    if (sight.is === 'value') return this.#resolveAll(sight.value)
    if (sight.is === 'nothing') return this.#begin(undefined, undefined)
    if (sight.is === 'stale') {
      const content = this.tower.leases.encode(sight.value)
      return this.#begin(sight.version, { state: STALE, owner: 0, number: 0, until: sight.until, content })
    }
    const { lease, isLapsed, version } = sight
    const { load, outcome } = lease
    const now = this.tower.now()
    if (outcome !== undefined && this.#awaited?.tells === true && isSameLoad(outcome, this.#awaited)) {
      return this.#settle(outcome)
    }
    // Nobody writes an end beyond the longest timeout: a lease that says so is damaged, and is not waited for.
    const isLoading =
      load !== undefined && this.tower.isAlive(load.owner) && now < load.until && load.until - now <= MAX_TIMEOUT
    if (outcome !== undefined && !isLapsed && now < outcome.until) {
      if (outcome.state === FAILED && load === undefined) return this.#settle(outcome)
      if (outcome.state === STALE && isLoading) return this.#settle(outcome)
    }
    if (load === undefined) return this.#begin(version, outcome, isLapsed)
    if (!isLoading) {
      if (now >= load.until && load.owner !== this.tower.mark) this.#countTimeout()
      return this.#callers.size === 0 || this.#begin(version, outcome, isLapsed)
    }
    if (this.#awaited !== undefined && isSameLoad(load, this.#awaited)) {
      Object.assign(this.#awaited, { version, isLapsed })
    } else {
      this.#restartClocks()
      this.#awaited = { ...load, tells: !isLapsed, version, isLapsed }
      this.#poll = FIRST_POLL
    }
    return this.#rejectLate()
  }

  #settle({ state, content }: Outcome): false {
    const decoded = this.tower.leases.decodeContent(content)
    if (state !== FAILED) return this.#resolveAll(decoded as V)
    this.#end()
    this.#rejectAll(reviveFailure(decoded))
    return false
  }

  /**
   * Takes the lease, in place of the entry with `version` if one is given, and loads.
   *
   * @param outcome of the load before
   */
  #begin(version: number | undefined, outcome: Outcome | undefined, isLapsed = false): boolean {
    const { key, tower } = this
    const [leader] = this.#callers.keys()
    const now = tower.now()
    const load = { owner: tower.mark, number: tower.takeNumber(), until: now + leader.timeout }
    const isStale = outcome?.state === STALE
    const kept = isStale && (isLapsed || now >= outcome.until) ? undefined : outcome
    // Decoded before the lease is taken: what is damaged throws here, and must not leave a lease behind.
    const stale =
      isStale && kept !== undefined
        ? { value: tower.leases.decodeContent(kept.content) as V, until: kept.until }
        : undefined
    const taken = tower.leases.put(key, { load, outcome: kept }, version)
    if (taken === undefined) return true // somebody else was first
    tower.countLoad()
    this.#awaited = undefined
    this.#restartClocks()
    const deadline = performance.now() + leader.timeout
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
        this.#loaded(load, value)
      },
      (reason: unknown) => {
        this.#failed(load, reason)
      },
    )
  }

  #loaded(load: OwnLoad<V>, value: unknown): void {
    if (this.#load !== load) return // given up
    let result: V
    let content: Content | undefined
    try {
      const encoder = encodeValue(value)
      const isStored = load.leader.store(encoder, load.version)
      result = this.tower.decode(encoder, value)
      encoder.release()
      if (!isStored) content = this.tower.leases.encode(value)
    } catch (error) {
      this.#failed(load, error)
      return
    }
    if (content !== undefined) this.#tell(load, DELIVERED, content)
    this.#resolveAll(result)
  }

  #failed(load: OwnLoad<V>, reason: unknown): void {
    if (this.#load !== load) return
    try {
      this.tower.countFailure()
      this.#tell(load, FAILED, this.tower.leases.encode(describeFailure(reason)))
    } finally {
      this.#end()
      this.#rejectAll(reason)
    }
  }

  /** Leaves the outcome of a load that stores no value for those who wait in other threads. */
  #tell(load: OwnLoad<V>, state: typeof FAILED | typeof DELIVERED, content: Content): void {
    const { leases } = this.tower
    try {
      this.#withLease(load, (version, isLapsed, last) => {
        const now = this.tower.now()
        // The value that expired goes on being served.
        const isStale = last?.state === STALE && !isLapsed && now < last.until && state === FAILED
        const { negativeTtl } = load.leader
        // 0 is told to nobody who comes later, whatever the clock of the one who looks says.
        const until = state === FAILED && !isLapsed && negativeTtl > 0 ? now + negativeTtl : 0
        const { owner, number } = load
        const outcome = isStale ? last : { state, owner, number, until, content }
        return leases.put(this.key, { load: undefined, outcome }, version) !== undefined
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
    this.tower.countFailure()
    if (this.#callers.delete(load.leader)) load.leader.reject(reason)
    this.#countTimeout()
    abort(load, reason)
  }

  #countTimeout(): void {
    for (const [caller, patience] of this.#callers) {
      if (++patience.timeouts >= MAX_TIMEOUTS) this.#rejectForTimeout(caller)
    }
  }

  /** Rejects those who have waited for one load for as long as they would. */
  #rejectLate(): false {
    const now = performance.now()
    if (now < this.#earliest) return false
    this.#earliest = Infinity
    for (const [caller, { deadline }] of this.#callers) {
      if (caller === this.#load?.leader) continue
      if (now >= deadline) this.#rejectForTimeout(caller)
      else this.#earliest = Math.min(this.#earliest, deadline)
    }
    if (this.#callers.size === 0 && this.#load?.stale === undefined) this.#abandon(undefined)
    return false
  }

  #rejectForTimeout(caller: Caller<V>): void {
    this.#callers.delete(caller)
    caller.reject(timedOut(this.key, caller.timeout))
  }

  #restartClocks(): void {
    const now = performance.now()
    this.#earliest = Infinity
    for (const [caller, patience] of this.#callers) {
      patience.deadline = now + caller.timeout
      this.#earliest = Math.min(this.#earliest, patience.deadline)
    }
  }

  #schedule(): void {
    const now = performance.now()
    const next = Math.min(this.#load?.deadline ?? now + this.#poll, this.#earliest)
    if (this.#load === undefined) this.#poll = Math.min(this.#poll * POLL_GROWTH, LAST_POLL)
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
      this.#withLease(load, (version) => this.tower.leases.remove(this.key, version))
    } catch {
      // Then it ends by its own deadline.
    }
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
      const sight = this.tower.leases.look(this.key)
      if (sight.is !== 'lease' || sight.lease.load === undefined || !isSameLoad(sight.lease.load, load)) return
      if (use(sight.version, sight.isLapsed, sight.lease.outcome)) return
    }
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.isOver = true
    this.#load = undefined
    this.tower.landed(this)
  }

  #resolveAll(value: V): false {
    this.#end()
    this.#serve(value)
    return false
  }

  #serve(value: V): void {
    for (const caller of this.#callers.keys()) caller.resolve(value)
    this.#callers.clear()
  }

  #rejectAll(reason: unknown): void {
    for (const caller of this.#callers.keys()) caller.reject(reason)
    this.#callers.clear()
  }
}

/** Listeners of the loader's signal run at once, in its context. What they throw is reported as uncaught by Node.js. */
function abort<V>({ leader, controller }: OwnLoad<V>, reason: unknown): void {
  leader.inContext(() => {
    controller.abort(reason)
  })
}

function timedOut(key: Key, timeout: number): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_TIMEOUT',
    `The load of key ${describe(key)} took longer than ${timeout} ms. Let the loader give up earlier, by its signal, or allow it ` +
      'more time with the option timeout.',
  )
}
