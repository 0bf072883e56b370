import type { ValueEncoder } from '../codec/value.js'
import type { Key } from '../format/key.js'
import type { Breaker } from './breaker.js'
import type { Leases } from './leases.js'
import type { Watch } from './wake-ups.js'

/** The part of a thread's cache that its loads need. */
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
  /** Counts the milliseconds that a load took, once it is over. */
  countTime(milliseconds: number): void
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
  /** Called when a key load is over. */
  finished(keyLoad: { readonly key: Key; readonly isForced: boolean }): void
}
