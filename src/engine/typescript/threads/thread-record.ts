import { pid, threadId } from '../../../platform/process.js'
import {
  CLAIM_ALL,
  ENGINE_TYPESCRIPT,
  REGISTRY_THREADS,
  THREAD_ATTACHED,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_CLAIM,
  THREAD_EMPTYING,
  THREAD_ENGINE,
  THREAD_FENCE,
  THREAD_FREE,
  THREAD_HAS_EXCESS,
  THREAD_ID,
  THREAD_INCARNATION,
  THREAD_KERNEL_ID,
  THREAD_OWED,
  THREAD_NAMESPACE,
  THREAD_PID,
  THREAD_SIZE_DELTA,
  THREAD_SLEEPS,
  THREAD_STATE,
  THREAD_WAITING,
  THREAD_WATCHES,
  THREAD_WRITE_REFERENCE,
  THREAD_WRITE_SIZE,
  THREAD_WRITE_SLOT,
  THREAD_WRITE_VERSION,
  THREAD_DEPARTURES,
  HEADER_DEPARTURES,
} from '../../../format/layout.js'
import { addToCounter } from '../../../format/counters.js'
import { endWatching, unwatchIfNobody } from '../../../format/feed.js'
import { pairsOf, WEAKLY_ORDERED } from '../../../format/region.js'
import { PROOF_HOOK, PROOF_LOCK, proofOf, type KernelId } from '../../../format/thread-name.js'
import { markOf, threadRecordAt } from '../../../format/thread-record.js'
import { loadNative, type ExitNote } from '../../../platform/addon.js'
import { ownNamespace } from '../../../platform/thread.js'
import { locksOf, ownKernelId } from './liveness.js'

/**
 * Tries to find a free record while other threads are just taking or freeing some, which takes them microseconds,
 * unless they are stopped.
 */
const MOST_TRIES = 200

/** A private word that no thread ever notifies. */
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * A thread's record in the region's registry: the thread's identity, its claim, and the number of entries it added.
 * Only the owner writes it, except for taking and returning it, and for the takeover from a dead owner (takeover.ts);
 * any thread may read any record.
 */
export class ThreadRecord {
  /**
   * The owner mark, which this thread leaves in a mutex it holds. Never 0, and different for each owner of the record.
   */
  readonly mark: number
  /** Word index of the heads of the per-class lists of free blocks. */
  readonly cacheHeads: number
  /** Word index of the lengths of those lists. */
  readonly cacheCounts: number
  /** Words for memory that the free lists could not give back. */
  readonly owed: number
  readonly hasExcess: number
  /** Word for the span that the thread is emptying, as page index + 1. */
  readonly emptying: number

  /** Word index of the record. */
  readonly at: number

  private constructor(
    private readonly words: Int32Array,
    private readonly index: number,
    private readonly exitNote: ExitNote | undefined,
  ) {
    this.at = threadRecordAt(index)
    this.mark = markOf(words, index)
    this.cacheHeads = this.at + THREAD_FREE_HEADS
    this.cacheCounts = this.at + THREAD_FREE_COUNTS
    this.owed = this.at + THREAD_OWED
    this.hasExcess = this.at + THREAD_HAS_EXCESS
    this.emptying = this.at + THREAD_EMPTYING
  }

  /**
   * Takes a free record, after freeing those of dead threads; undefined if all are taken. O(records). A system call for
   * every attached thread.
   * @param takeOver frees the records of dead threads; returns false if another thread is doing so
   */
  static attach(words: Int32Array, takeOver: (words: Int32Array) => boolean): ThreadRecord | undefined {
    const self = ownKernelId(words)
    const exitNote = noteExit(words, self)
    for (let tries = 1; ; tries++) {
      let isChanging = !takeOver(words)
      unwatchIfNobody(words) // if who took over from the last watcher died as well
      for (let index = 0; index < REGISTRY_THREADS; index++) {
        exitNote?.note(index)
        const taken = take(words, index, self)
        if (taken !== true) {
          isChanging ||= taken === undefined
          continue
        }
        const at = threadRecordAt(index)
        Atomics.store(words, at + THREAD_INCARNATION, (Atomics.load(words, at + THREAD_INCARNATION) + 1) | 0)
        Atomics.store(words, at + THREAD_PID, pid)
        Atomics.store(words, at + THREAD_ID, threadId)
        Atomics.store(words, at + THREAD_ENGINE, ENGINE_TYPESCRIPT)
        Atomics.store(words, at + THREAD_CLAIM, 0)
        Atomics.store(words, at + THREAD_SLEEPS, 0)
        Atomics.store(words, at + THREAD_WATCHES, 0)
        // Before this thread looks at the directory: see haveAllHeeded in departures.ts.
        Atomics.store(words, at + THREAD_DEPARTURES, Atomics.load(words, HEADER_DEPARTURES))
        Atomics.store(pairsOf(words), (at + THREAD_NAMESPACE) / 2, ownNamespace())
        Atomics.store(words, at + THREAD_STATE, THREAD_ATTACHED)
        return new ThreadRecord(words, index, exitNote)
      }
      if (!isChanging || tries === MOST_TRIES) {
        exitNote?.cancel()
        return undefined
      }
      Atomics.wait(sleeper, 0, 0, 1)
    }
  }

  detach(): void {
    if (this.words[this.at + THREAD_WATCHES] !== 0) endWatching(this.words, this.at)
    this.clearClaim()
    const pairs = pairsOf(this.words)
    Atomics.store(pairs, (this.at + THREAD_NAMESPACE) / 2, 0n)
    Atomics.store(this.words, this.at + THREAD_STATE, THREAD_FREE)
    Atomics.store(pairs, (this.at + THREAD_KERNEL_ID) / 2, 0n)
    // Unlocked last, or other threads would take over from this one while it still has the record.
    locksOf(this.words)?.unlockAndClose(this.index)
    this.exitNote?.cancel()
  }

  /**
   * Takes the free record `index` for as long as it takes to give back the memory that its last owner left. The thread
   * is not attached with it. Undefined if it is not free any more.
   */
  static borrow(words: Int32Array, index: number): ThreadRecord | undefined {
    const self = ownKernelId(words)
    const exitNote = noteExit(words, self)
    exitNote?.note(index)
    if (take(words, index, self) === true) return new ThreadRecord(words, index, exitNote)
    exitNote?.cancel()
    return undefined
  }

  /** Frees a record that was borrowed. */
  return(): void {
    Atomics.store(pairsOf(this.words), (this.at + THREAD_KERNEL_ID) / 2, 0n)
    locksOf(this.words)?.unlock(this.index) // last, as in detach
    this.exitNote?.cancel()
  }

  /**
   * Announces the bucket or segment that the thread is about to take. The store is plain, because the compare-and-swap
   * that takes it publishes earlier stores: a thread that sees it taken also sees the claim.
   */
  claim(block: number): void {
    this.words[this.at + THREAD_CLAIM] = block
  }

  /** Ends the claim. Other threads see that only after the release that came before: x64 keeps stores in order. */
  clearClaim(): void {
    if (WEAKLY_ORDERED) Atomics.store(this.words, this.at + THREAD_CLAIM, 0)
    else this.words[this.at + THREAD_CLAIM] = 0
  }

  /**
   * Announces a write that changes the number of entries, before the compare-and-swap or the store that begins it: word
   * `slot` will hold `reference` while its bucket has `version`, odd, and then the thread's share of the size will be
   * as noted. If the thread dies, the announcement shows whether the write took place. Stores are plain, here and
   * below: only the state at the thread's end counts, and a processor ends a thread between two instructions.
   */
  beginWrite(slot: number, reference: number, version: number, delta: number): void {
    const { words, at } = this
    words[at + THREAD_WRITE_REFERENCE] = reference
    words[at + THREAD_WRITE_VERSION] = version
    words[at + THREAD_WRITE_SIZE] = words[at + THREAD_SIZE_DELTA] + delta
    words[at + THREAD_WRITE_SLOT] = slot
  }

  /** Notes that the slot holds the reference. */
  notePublished(): void {
    this.words[this.at + THREAD_WRITE_VERSION] = 0
  }

  /** Notes that the write is counted, or did not take place. */
  endWrite(): void {
    if (WEAKLY_ORDERED) Atomics.store(this.words, this.at + THREAD_WRITE_SLOT, 0)
    else this.words[this.at + THREAD_WRITE_SLOT] = 0
  }

  /** Notes that the thread reaches nothing any more that left before the round `departures`. */
  heedDepartures(departures: number): void {
    Atomics.store(this.words, this.at + THREAD_DEPARTURES, departures)
  }

  /**
   * Notes a bucket that the thread's claim covers, but for which it waits, since it does not hold it. 0 before the
   * thread tries to take it.
   */
  setWaiting(bucket: number): void {
    Atomics.store(this.words, this.at + THREAD_WAITING, bucket)
  }

  addSize(delta: number): void {
    const word = this.at + THREAD_SIZE_DELTA
    // No read-modify-write is needed: no other thread writes this word.
    Atomics.store(this.words, word, (this.words[word] + delta) | 0)
  }

  /**
   * Adds up to 2^31 to one of the record's counters. Each is two words, and the carry is visible while it is made: as
   * long as bit 31 of the high word is set, the low word counts as 0 (src/format/counters.ts reads them).
   */
  count(counter: number, delta: number): void {
    addToCounter(this.words, this.at, counter, delta)
  }

  /**
   * Issues a full fence, by the only means that JavaScript has. On a weakly ordered machine, plain accesses may pass an
   * `Atomics.store` downwards or an `Atomics.load` upwards, but nothing passes the two in a row.
   */
  fence(): void {
    Atomics.store(this.words, this.at + THREAD_FENCE, 0)
    Atomics.load(this.words, this.at + THREAD_FENCE)
  }
}

/** Returns what marks the record noted last should this thread end, where the kernel does not show that. */
function noteExit(words: Int32Array, self: KernelId): ExitNote | undefined {
  return proofOf(self) === PROOF_HOOK ? loadNative()?.noteExit(new Uint8Array(words.buffer), self) : undefined
}

/**
 * Takes record `index` if it is free. It takes the record's lock first, so that a taken record never looks like a dead
 * thread's. Storing the name takes the record, so that every taken record says how to find out whether its owner lives.
 * Undefined if a thread has the lock of a free record, for no longer than it takes to free or take it.
 */
function take(words: Int32Array, index: number, self: KernelId): boolean | undefined {
  const pairs = pairsOf(words)
  const name = (threadRecordAt(index) + THREAD_KERNEL_ID) / 2
  if (Atomics.load(pairs, name) !== 0n) return false
  const locks = proofOf(self) === PROOF_LOCK ? locksOf(words) : undefined
  if (locks?.tryLock(index) === false) return undefined
  if (Atomics.compareExchange(pairs, name, 0n, self) === 0n) return true
  locks?.unlock(index)
  return false
}

/** Returns the word index of the record of the thread that left `mark` in a mutex; -1 if the mark names none. */
export function ownerOf(mark: number): number {
  const index = (mark & 0xff) - 1
  return index >= 0 && index < REGISTRY_THREADS ? threadRecordAt(index) : -1
}

/** Returns whether the thread that left `mark` is still attached. */
export function isAttached(words: Int32Array, mark: number): boolean {
  const record = ownerOf(mark)
  if (record < 0 || Atomics.load(words, record + THREAD_STATE) !== THREAD_ATTACHED) return false
  return Atomics.load(words, record + THREAD_INCARNATION) << 8 === (mark & ~0xff)
}

/**
 * Returns the word index of the record of an attached thread, other than the one with record `self`, that claims
 * `bucket` or `segment`; -1 if there is none.
 */
export function claimantOf(words: Int32Array, bucket: number, segment: number, self: number): number {
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const at = threadRecordAt(index)
    if (at === self || Atomics.load(words, at + THREAD_STATE) !== THREAD_ATTACHED) continue
    const claim = Atomics.load(words, at + THREAD_CLAIM)
    if (claim === bucket || claim === segment || claim === CLAIM_ALL) return at
  }
  return -1
}
