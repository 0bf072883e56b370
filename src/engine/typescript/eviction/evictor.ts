/**
 * What makes room in a cache, as those see it who write, clean up and repair. It works by the same writes, so it stands
 * above them: the engine puts one (eviction.ts) into the core.
 *
 * Thread safety: one thread. Only `touch`, `settle` and `forget` may be called while a segment or bucket is held.
 */
export interface Evictor {
  /**
   * A node for a key about to be inserted; the caller ends with {@link Evictor.settle} or {@link Evictor.withdraw}. The
   * status FULL or TIMEOUT if none can be had.
   */
  admit(hash: number): number

  /** The entry with the node is published, or was replaced or deleted since. */
  settle(node: number): void

  /** The entry with the node was never published. */
  withdraw(node: number): void

  /**
   * Notes that an entry was used. At most one store for each key and epoch.
   *
   * @param node from an entry that was validated since
   */
  touch(node: number, hash: number): void

  /** Notes that an entry was removed; {@link Evictor.sweepForgotten} then takes its node out of the queues. */
  forget(node: number, hash: number): void

  sweepForgotten(): void

  /**
   * What could be evicted, but for which others would have to be waited for, is passed over. Forgets that this
   * happened.
   */
  startRound(): void

  readonly hasPassedOver: boolean

  /**
   * A block of `bytes` bytes, for which entries are evicted: those next in turn, first in the partition of `hash`;
   * then, since blocks of one size class serve no other, all in some pages outside the reserve. Bounded by one round
   * over the pages. A negative status if that is not enough.
   */
  makeRoom(bytes: number, hash: number): number

  /**
   * As {@link Evictor.makeRoom}, for an entry that can be evicted. Ends by emptying the reserve, which has room for
   * whatever `couldFit`: what does not go within the call's budget, another thread has been about to insert or delete
   * for as long.
   */
  makeRoomForEntry(bytes: number, hash: number): number

  /**
   * Evicts an entry of the home bucket of `hash`, where nothing can be inserted. False if there is none that could be
   * evicted.
   */
  evictAtHome(hash: number): boolean

  /**
   * After deaths: frees every node whose entry is gone or was never published, and ends the inserts of the dead whose
   * entry was. Others insert meanwhile, one partition waits at a time. O(nodes).
   *
   * @returns DONE or TIMEOUT
   */
  repair(): number
}
