import type { Key } from '../format/key.js'
import { isSameLoad, type Lease, type Load, type Outcome } from './lease.js'
import type { LoadHost } from './load-host.js'
import { findLoad, type RunningLoad } from './running-loads.js'
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
 * Another load that the calls of a key load wait for, and how this thread learns of its end.
 *
 * Thread safety: one thread.
 */
export class AwaitedLoad {
  #leaseKey!: Key
  #load!: Load
  #version = 0
  #isLapsed = false
  /** Whether the waiting calls take its outcome: not if a write overtook it before they came. */
  #tells = false
  #watch: Watch | undefined
  #wasWoken = false
  #poll = FIRST_POLL

  /** @param advance takes the next steps of the key load */
  constructor(
    private readonly host: LoadHost<unknown>,
    private readonly advance: () => void,
  ) {}

  /**
   * Waits for that load from now on.
   *
   * @param leaseKey where its lease lies
   * @param version version of the lease
   */
  follow(leaseKey: Key, load: Load, version: number, isLapsed: boolean): void {
    this.#leaseKey = leaseKey
    this.#load = load
    this.update(version, isLapsed)
    this.#tells = !isLapsed
    this.#poll = FIRST_POLL
  }

  /** The load, if it runs in this thread after all, by another map object. */
  get running(): RunningLoad | undefined {
    return findLoad(this.#load, this.host.memory)
  }

  /** Whether a write has overtaken the load since calls began to wait that take its outcome. */
  get isOvertaken(): boolean {
    return this.#tells && this.#isLapsed
  }

  /** Returns whether that is the load. */
  is(load: Load): boolean {
    return isSameLoad(load, this.#load)
  }

  /** Returns whether that is its end, which the waiting calls take. */
  endsBy(outcome: Outcome): boolean {
    return this.#tells && isSameLoad(outcome, this.#load)
  }

  /** Returns whether a lease tells of the load: that it runs, or how it ended. */
  isIn({ load, outcome }: Lease): boolean {
    return (load !== undefined && this.is(load)) || (outcome !== undefined && this.endsBy(outcome))
  }

  /** Notes what its lease is now. */
  update(version: number, isLapsed: boolean): void {
    this.#version = version
    this.#isLapsed = isLapsed
  }

  /** Returns whether it goes on, as far as can be told without reading its lease. */
  goesOn(): boolean {
    const { host } = this
    return (
      host.now() < this.#load.until &&
      host.leases.isUnchanged(this.#leaseKey, this.#version) &&
      host.isAlive(this.#load.owner, this.#wasWoken)
    )
  }

  /** Announces the wait. What changed before wakes no thread: look again afterwards. */
  announce(): void {
    this.#wasWoken = false
    const watch = this.host.announce(this.#leaseKey, this.#wake)
    if (this.#watch !== watch) this.leave()
    this.#watch = watch
  }

  /** Drops the announcement. */
  leave(): void {
    if (this.#watch !== undefined) this.host.leave(this.#watch, this.#wake)
    this.#watch = undefined
  }

  /** Returns how many milliseconds to wait until the next look. */
  pause(): number {
    if (this.#watch === undefined) {
      const pause = this.#poll
      this.#poll = Math.min(pause * POLL_GROWTH, LAST_POLL)
      return pause
    }
    // No thread wakes another one when the load's time is up.
    return Math.min(PAUSE, this.#load.until - this.host.now())
  }

  /** The end of the thread that loads may be what woke this one. */
  readonly #wake = (): void => {
    this.#wasWoken = true
    this.advance()
  }
}
