import { threadId } from 'node:worker_threads'
import {
  BLOCK_WORDS,
  CLAIM_ALL,
  ENGINE_TYPESCRIPT,
  REGISTRY_BLOCK,
  REGISTRY_THREADS,
  THREAD_ATTACHED,
  THREAD_CACHE_COUNTS,
  THREAD_CACHE_HEADS,
  THREAD_CLAIM,
  THREAD_ENGINE,
  THREAD_FENCE,
  THREAD_FREE,
  THREAD_HAS_EXCESS,
  THREAD_ID,
  THREAD_INCARNATION,
  THREAD_KERNEL_ID,
  THREAD_OWED,
  THREAD_PID,
  THREAD_SIZE_DELTA,
  THREAD_STATE,
  THREAD_WAITING,
  THREAD_WORDS,
  THREAD_WRITE_REFERENCE,
  THREAD_WRITE_SIZE,
  THREAD_WRITE_SLOT,
  THREAD_WRITE_VERSION,
} from '../../../format/layout.js'
import { addToCounter } from '../../../format/counters.js'
import { ownKernelId } from './liveness.js'
import { pairsOf, WEAKLY_ORDERED } from '../../../format/region.js'
import { buryTheDead } from './takeover.js'

/** Word index of thread record `index`. */
export function threadRecordAt(index: number): number {
  return REGISTRY_BLOCK * BLOCK_WORDS + index * THREAD_WORDS
}

/**
 * A thread's record in the region's registry: who it is, what it is about to take, how many entries it added. Only its
 * owner writes it, except for taking and returning it, and whoever buries a dead owner (takeover.ts); anyone may read
 * any record.
 */
export class ThreadRecord {
  /** What this thread leaves in a mutex it holds. Never 0, and another one after the record changed hands. */
  readonly mark: number
  /** Word index of the heads of the per-class lists of free blocks. */
  readonly cacheHeads: number
  /** Word index of the lengths of those lists. */
  readonly cacheCounts: number
  /** Words for what the block cache could not give back. */
  readonly owed: number
  readonly hasExcess: number

  /** Word index of the record. */
  readonly at: number

  private constructor(
    private readonly words: Int32Array,
    index: number,
  ) {
    this.at = threadRecordAt(index)
    this.mark = markOf(words, index)
    this.cacheHeads = this.at + THREAD_CACHE_HEADS
    this.cacheCounts = this.at + THREAD_CACHE_COUNTS
    this.owed = this.at + THREAD_OWED
    this.hasExcess = this.at + THREAD_HAS_EXCESS
  }

  /** Takes a free record, after those of dead threads were freed; undefined if all are taken. O(records). */
  static attach(words: Int32Array): ThreadRecord | undefined {
    buryTheDead(words)
    const self = ownKernelId()
    const pairs = pairsOf(words)
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      const at = threadRecordAt(index)
      // The owner's name is what takes the record, so that there is no instant at which nobody could tell whose it is.
      if (Atomics.compareExchange(pairs, (at + THREAD_KERNEL_ID) / 2, 0n, self) !== 0n) continue
      Atomics.store(words, at + THREAD_INCARNATION, (Atomics.load(words, at + THREAD_INCARNATION) + 1) | 0)
      Atomics.store(words, at + THREAD_PID, process.pid)
      Atomics.store(words, at + THREAD_ID, threadId)
      Atomics.store(words, at + THREAD_ENGINE, ENGINE_TYPESCRIPT)
      Atomics.store(words, at + THREAD_CLAIM, 0)
      Atomics.store(words, at + THREAD_STATE, THREAD_ATTACHED)
      return new ThreadRecord(words, index)
    }
    return undefined
  }

  detach(): void {
    this.clearClaim()
    Atomics.store(this.words, this.at + THREAD_STATE, THREAD_FREE)
    Atomics.store(pairsOf(this.words), (this.at + THREAD_KERNEL_ID) / 2, 0n)
  }

  /**
   * Announces what the thread is about to take. A plain store, because the compare-and-swap that takes it publishes
   * what came before: whoever sees it taken also sees by whom.
   */
  claim(block: number): void {
    this.words[this.at + THREAD_CLAIM] = block
  }

  /** Ends the claim, and is seen to do so only after the release that came before: x64 keeps stores in order. */
  clearClaim(): void {
    if (WEAKLY_ORDERED) Atomics.store(this.words, this.at + THREAD_CLAIM, 0)
    else this.words[this.at + THREAD_CLAIM] = 0
  }

  /**
   * Tells of a write that changes the number of entries, before the compare-and-swap or the store that begins it: that
   * word `slot` will hold `reference` while its bucket has `version`, odd, and what the thread's share of the size will
   * be then. Should the thread die, this tells whether the write took place. Plain stores, here and below: what counts
   * is what was stored when the thread ended, and a processor ends a thread between two instructions.
   */
  beginWrite(slot: number, reference: number, version: number, delta: number): void {
    const { words, at } = this
    words[at + THREAD_WRITE_REFERENCE] = reference
    words[at + THREAD_WRITE_VERSION] = version
    words[at + THREAD_WRITE_SIZE] = words[at + THREAD_SIZE_DELTA] + delta
    words[at + THREAD_WRITE_SLOT] = slot
  }

  /** The slot holds the reference. */
  notePublished(): void {
    this.words[this.at + THREAD_WRITE_VERSION] = 0
  }

  /** The write is counted, or did not take place. */
  endWrite(): void {
    if (WEAKLY_ORDERED) Atomics.store(this.words, this.at + THREAD_WRITE_SLOT, 0)
    else this.words[this.at + THREAD_WRITE_SLOT] = 0
  }

  /**
   * What the thread waits for although its claim covers it: a bucket that it does not hold. 0 before it tries to take
   * it.
   */
  setWaiting(bucket: number): void {
    Atomics.store(this.words, this.at + THREAD_WAITING, bucket)
  }

  addSize(delta: number): void {
    const word = this.at + THREAD_SIZE_DELTA
    // No read-modify-write: nobody else writes this word.
    Atomics.store(this.words, word, (this.words[word] + delta) | 0)
  }

  /**
   * Adds up to 2^31 to one of the record's counters. Each is two words, and the carry is shown as it is made: while bit
   * 31 of the high word is set, the low word counts as 0 (src/format/counters.ts reads them).
   */
  count(counter: number, delta: number): void {
    addToCounter(this.words, this.at, counter, delta)
  }

  /**
   * A full fence, made of the only means JavaScript has: plain accesses may pass an `Atomics.store` downwards or an
   * `Atomics.load` upwards on a weakly ordered machine, but nothing passes the two in a row.
   */
  fence(): void {
    Atomics.store(this.words, this.at + THREAD_FENCE, 0)
    Atomics.load(this.words, this.at + THREAD_FENCE)
  }
}

/** What the thread that has record `index` leaves in mutexes. */
export function markOf(words: Int32Array, index: number): number {
  return (index + 1) | (Atomics.load(words, threadRecordAt(index) + THREAD_INCARNATION) << 8)
}

/** Inserts minus deletes over all thread records: the number of entries when no write is in flight. */
export function sumOfSizeDeltas(words: Int32Array): number {
  let sum = 0
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    sum = (sum + Atomics.load(words, threadRecordAt(index) + THREAD_SIZE_DELTA)) | 0
  }
  return sum
}

/** Word index of the record of the thread that left `mark` in a mutex; -1 if the mark names none. */
export function ownerOf(mark: number): number {
  const index = (mark & 0xff) - 1
  return index >= 0 && index < REGISTRY_THREADS ? threadRecordAt(index) : -1
}

/** Whether the thread that left `mark` is still attached. */
export function isAttached(words: Int32Array, mark: number): boolean {
  const record = ownerOf(mark)
  if (record < 0 || Atomics.load(words, record + THREAD_STATE) !== THREAD_ATTACHED) return false
  return Atomics.load(words, record + THREAD_INCARNATION) << 8 === (mark & ~0xff)
}

/**
 * Word index of the record of an attached thread, other than the one with record `self`, that claims `bucket` or
 * `segment`; -1 if there is none.
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
