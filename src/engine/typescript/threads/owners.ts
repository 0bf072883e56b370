/** The owners of thread records, as one takeover finds them: alive or dead. */
import {
  BLOCK_WORDS,
  HEADER_DEATHS,
  REGISTRY_THREADS,
  SIZE_CLASSES,
  THREAD_CLAIM,
  THREAD_FREE,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_KERNEL_ID,
  THREAD_NAMESPACE,
  THREAD_HAS_EXCESS,
  THREAD_STATE,
  THREAD_WAITING,
  THREAD_WATCHES,
} from '../../../format/layout.js'
import { isDead, locksOf } from './liveness.js'
import { pairsOf, type Region } from '../../../format/region.js'
import { PROOF_LOCK, proofOf } from '../../../format/thread-name.js'
import { markOf, threadRecordAt } from '../../../format/thread-record.js'

const LIVING = 1
const DEAD = 2
/** State of an owner that is dead, but whose work could not be finished yet. */
const STUCK = 3

/** More blocks than any thread takes from the heap before it counts them (see FreeLists). */
const MOST_UNCOUNTED = 1024

/** Returns whether a thread is dead. Until the caller has the takeover lock, the answer may be out of date. */
export function isAnyDead(words: Int32Array): boolean {
  const pairs = pairsOf(words)
  for (let index = 0; index < REGISTRY_THREADS; index++) if (isTaken(pairs, index) && isDead(words, index)) return true
  return false
}

function isTaken(pairs: BigUint64Array, index: number): boolean {
  return Atomics.load(pairs, (threadRecordAt(index) + THREAD_KERNEL_ID) / 2) !== 0n
}

/** Records are named by their index. Only a caller that has the takeover lock may use this. */
export class Owners {
  private readonly words: Int32Array
  private readonly pairs: BigUint64Array
  /** State of each record's owner: 0 if the record is free. */
  private readonly states = new Uint8Array(REGISTRY_THREADS)
  /** Records whose lock this takeover has. */
  private readonly seized: number[] = []

  constructor(private readonly region: Region) {
    this.words = region.words
    this.pairs = pairsOf(this.words)
  }

  /**
   * Determines which owners are dead, and keeps their records. The caller has the takeover lock, so no other thread
   * frees records.
   */
  seize(): void {
    const { pairs } = this
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      if (isTaken(pairs, index) && this.isSeized(index)) this.states[index] = DEAD
      else if (isTaken(pairs, index)) this.states[index] = LIVING
    }
  }

  /** Lets go of the records that {@link Owners.seize} kept. */
  release(): void {
    for (const index of this.seized) locksOf(this.words)?.unlock(index)
  }

  /**
   * Returns whether the owner of a record that was taken is dead. Owners hold the record's lock from before they take
   * the record until after they gave it back: so a thread that gets the lock of a taken record gets it from a dead
   * owner.
   */
  private isSeized(index: number): boolean {
    const name = (threadRecordAt(index) + THREAD_KERNEL_ID) / 2
    if (proofOf(Atomics.load(this.pairs, name)) !== PROOF_LOCK) return isDead(this.words, index)
    if (locksOf(this.words)?.tryLock(index) !== true) return false
    this.seized.push(index)
    return proofOf(Atomics.load(this.pairs, name)) === PROOF_LOCK
  }

  /** Calls `act` for every dead owner but those that were {@link Owners.leave left}. */
  forEachDead(act: (index: number) => void): void {
    for (let index = 0; index < REGISTRY_THREADS; index++) if (this.states[index] === DEAD) act(index)
  }

  /** Leaves the rest of a dead owner's work for the next takeover. */
  leave(index: number): void {
    this.states[index] = STUCK
  }

  /** Returns the index of the record of the dead thread that left `mark` in a mutex, or -1. */
  deadOwner(mark: number): number {
    const index = (mark & 0xff) - 1
    return this.states[index] >= DEAD && markOf(this.words, index) === mark ? index : -1
  }

  /** Returns whether a living thread announced that it takes the bucket itself. */
  isClaimed(bucket: number): boolean {
    return this.states.some(
      (state, index) => state === LIVING && Atomics.load(this.words, threadRecordAt(index) + THREAD_CLAIM) === bucket,
    )
  }

  /** Frees a dead thread's record. The blocks of its free lists stay with the record, for the next owner. */
  free(index: number): void {
    const { words, pairs } = this
    const at = threadRecordAt(index)
    // The bound ends walks over damaged lists: together they have no more blocks than the region.
    let left = this.region.blockCount
    let kept = 0
    for (let sizeClass = 0; sizeClass < SIZE_CLASSES; sizeClass++) {
      const most = (words[at + THREAD_FREE_COUNTS + sizeClass] >>> 0) + MOST_UNCOUNTED
      let count = 0
      let block = words[at + THREAD_FREE_HEADS + sizeClass]
      for (; this.region.contains(block, 1) && count < most && left > 0; count++, left--)
        block = words[block * BLOCK_WORDS]
      Atomics.store(words, at + THREAD_FREE_COUNTS + sizeClass, count)
      kept += count
    }
    if (kept > 0) Atomics.store(words, at + THREAD_HAS_EXCESS, 1) // for giveBackLeftovers
    Atomics.store(words, at + THREAD_CLAIM, 0)
    Atomics.store(words, at + THREAD_WAITING, 0)
    Atomics.store(words, at + THREAD_WATCHES, 0)
    Atomics.store(pairs, (at + THREAD_NAMESPACE) / 2, 0n)
    Atomics.add(words, HEADER_DEATHS, 1)
    Atomics.store(words, at + THREAD_STATE, THREAD_FREE)
    Atomics.store(pairs, (at + THREAD_KERNEL_ID) / 2, 0n)
  }
}
