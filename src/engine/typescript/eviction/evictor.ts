/**
 * The interface, for writes, cleanups and repairs, of the part that makes room in a cache. The implementation
 * (eviction.ts) uses the same writes, so it lies in a layer above them, and the engine puts it into the core.
 *
 * Thread safety: one thread. Only `touch`, `settle` and `forget` may be called while a segment or bucket is held.
 */
export interface Evictor {
  /**
   * Returns a node for a key about to be inserted, or the status FULL or TIMEOUT. The caller ends with
   * {@link Evictor.settle} or {@link Evictor.withdraw}.
   */
  admit(hash: number): number

  /** Notes that the entry with the node is published, even if it was replaced or deleted since. */
  settle(node: number): void

  /** Notes that the entry with the node was never published. */
  withdraw(node: number): void

  /**
   * Notes that an entry was used. Makes at most one store for each key and tick of the use clock.
   *
   * @param node read from an entry that was validated afterwards
   */
  touch(node: number, hash: number): void

  /** Notes that an entry was removed; {@link Evictor.sweepForgotten} then takes its node out of the queues. */
  forget(node: number, hash: number): void

  sweepForgotten(): void

  /** Gives back the memory of partitions that hold few entries, beyond what they need. O(nodes). */
  giveBackIdle(): void

  /** Begins a round. Victims for which this thread would have to wait are passed over; this forgets that some were. */
  startRound(): void

  readonly hasPassedOver: boolean

  /**
   * Returns a block of `bytes` bytes, for which it evicts entries: first those next in turn, beginning in the partition
   * of `hash`; then, since blocks of one size class serve no other, all in some pages outside the reserve. Bounded by
   * one round over the pages. Returns a negative status if that is not enough.
   *
   * @param place not ANYWHERE
   */
  makeRoom(bytes: number, hash: number, place: number): number

  /**
   * Makes room as {@link Evictor.makeRoom} does, for a block that never moves and that a call cannot do without: searches
   * until no victim was passed over, within the call's budget.
   */
  makeFixedRoom(bytes: number): number

  /**
   * Makes room as {@link Evictor.makeRoom} does, for an entry that can be evicted. In the end it empties the reserve,
   * which has room for every entry that `couldFit`. An entry that cannot be evicted within the call's budget is one
   * that another thread has been about to insert or delete for as long.
   */
  makeRoomForEntry(bytes: number, hash: number): number

  /**
   * Evicts an entry of the home bucket of `hash`, where nothing can be inserted. Returns false if no entry could be
   * evicted.
   */
  evictAtHome(hash: number): boolean

  /**
   * Repairs the nodes after deaths: frees every node whose entry is gone or was never published, and ends those inserts
   * of dead threads whose entry was published. Other threads can insert meanwhile; one partition at a time waits.
   * O(nodes).
   *
   * @returns DONE or TIMEOUT
   */
  repair(): number
}
