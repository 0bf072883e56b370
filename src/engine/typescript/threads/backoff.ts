import { activityOf } from './liveness.js'
import { addToCount } from '../../../format/counters.js'
import { storeDouble } from '../../../format/double.js'
import { pairsOf } from '../../../format/region.js'
import { claimantOf, ownerOf } from './thread-record.js'
import { recordIndexOf } from '../../../format/thread-record.js'
import {
  BLOCK_WORDS,
  SLEEPS_FOR_MOVING,
  SLEEPS_FOR_STALLED,
  THREAD_KERNEL_ID,
  THREAD_LOCK_WAITS,
  THREAD_SLEEPS,
  THREAD_WAIT_AT,
  THREAD_WAIT_FOR,
  THREAD_WAIT_SINCE,
  THREAD_WRITE_SLOT,
  WAITS_FOR_BUCKET,
  WAITS_FOR_LOCK,
  WAITS_FOR_OTHERS,
  WAITS_FOR_WRITE,
} from '../../../format/layout.js'
import { ALL_PATIENCE, NO_PATIENCE, type WaitBudget } from './wait-budget.js'
import { monotonic } from '../../../platform/system-clock.js'

/** Less than a microsecond each round: a bucket is held for far less than all of them. */
const SPINS = 64
const FIRST_SLEEP_MS = 0.05
const LONGEST_SLEEP_MS = 1
/**
 * Before the kernel is asked about the holder: longer than almost every wait, so that asking costs nothing. Then ever
 * less often, up to a time by which a wait may take longer than its bound.
 */
const FIRST_QUESTION_MS = 20
const LONGEST_PAUSE_MS = 40
/** Every so many questions all threads are asked about, should what is in the way not be whose it seems. */
const SURVEY_EVERY = 8

// A private word that nobody ever notifies: waiting on it is the only sleep JavaScript has on every thread.
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Bounded waiting: spin, then sleep ever longer. Nobody depends on being woken, so a waiter survives a dead owner; and
 * what the dead held is taken over by those who wait.
 */
export class Backoff {
  private rounds = 0
  private questions = 0
  private seen = 0
  private sleepMs = FIRST_SLEEP_MS
  private pause = FIRST_QUESTION_MS
  private last = 0
  private nextQuestion = 0
  /** Milliseconds in which nothing moved. */
  private unjudged = 0
  /** The kernel's name of whom it was asked about last, and the processor time used then or counted since. */
  private holder = 0n
  private holderRan = 0
  /** Whether the time since the last question counted. */
  private isStalled = false

  /** @param at a word that changes when what is waited for changes hands */
  private constructor(
    private readonly budget: WaitBudget,
    private readonly kind: number,
    private readonly at: number,
    private readonly segment: number,
  ) {}

  /** For the mutex in word `mutex`. */
  static forMutex(budget: WaitBudget, mutex: number): Backoff {
    return new Backoff(budget, WAITS_FOR_LOCK, mutex, 0)
  }

  /** For the bucket with first word `bucket`, of the segment in block `segment`. */
  static forBucket(budget: WaitBudget, bucket: number, segment: number): Backoff {
    return new Backoff(budget, WAITS_FOR_BUCKET, bucket, segment)
  }

  /** For the write that the thread with the record at word `record` announced. */
  static forWrite(budget: WaitBudget, record: number): Backoff {
    return new Backoff(budget, WAITS_FOR_WRITE, record + THREAD_WRITE_SLOT, 0)
  }

  /** For nobody in particular: threads that come and go. */
  static forOthers(budget: WaitBudget): Backoff {
    return new Backoff(budget, WAITS_FOR_OTHERS, 0, 0)
  }

  /** As {@link Backoff.forOthers}, for a caller that looks for long each time, as for victims: sleeps at once. */
  static betweenSearches(budget: WaitBudget): Backoff {
    const backoff = Backoff.forOthers(budget)
    backoff.rounds = SPINS
    return backoff
  }

  /**
   * Waits a little longer each time. False once the call's budget is spent: the caller gives up. The budget then tells
   * who was in the way.
   */
  wait(): boolean {
    if (++this.rounds <= SPINS) return true
    const { budget } = this
    if (budget.isSpent()) return this.giveUp()
    const now = monotonic()
    if (this.rounds === SPINS + 1) {
      this.seen = Atomics.load(budget.words, this.at)
      this.nextQuestion = now + this.pause
      this.noteWait(now)
    } else {
      this.account(now)
      if (budget.isSpent()) return this.giveUp()
    }
    this.last = now
    this.sleep()
    return true
  }

  /**
   * Counts the wait, and leaves for those who look at the region what it is for. Valid while the thread shows that it
   * sleeps.
   */
  private noteWait(now: number): void {
    const { words, record } = this.budget
    addToCount(words, record + THREAD_LOCK_WAITS, 1)
    storeDouble(words, record + THREAD_WAIT_SINCE, now)
    words[record + THREAD_WAIT_AT] = this.at
    words[record + THREAD_WAIT_FOR] = this.kind
  }

  /** The wait is over: from now on this thread is idle only for want of a processor. A call that ends does the same. */
  end(): void {
    if (this.rounds > SPINS) Atomics.store(this.budget.words, this.budget.record + THREAD_SLEEPS, 0)
  }

  /**
   * Shows threads that wait for this one that it is idle because it waits, and not because it has no processor. It stays
   * so until the wait ends: looked at in the instant between two sleeps, it waits all the same.
   */
  private sleep(): void {
    const { words, record } = this.budget
    Atomics.store(words, record + THREAD_SLEEPS, this.isStalled ? SLEEPS_FOR_STALLED : SLEEPS_FOR_MOVING)
    Atomics.wait(sleeper, 0, 0, this.sleepMs)
    this.sleepMs = Math.min(this.sleepMs * 2, LONGEST_SLEEP_MS)
  }

  private giveUp(): false {
    const { patience } = this.budget
    // An afterthought fails no call; and for each of many victims it would take too long to look through all claims.
    if (patience === ALL_PATIENCE || (patience === NO_PATIENCE && this.kind === WAITS_FOR_LOCK)) {
      this.budget.noteBlocker(this.findHolder())
    }
    return false
  }

  /**
   * Adds the time since the last look. It does not count if another thread has since taken what is waited for, or the
   * same thread has taken it anew, unless the call is held up all the same.
   */
  private account(now: number): void {
    const { budget } = this
    budget.wait(now - this.last)
    const word = Atomics.load(budget.words, this.at)
    if (this.kind !== WAITS_FOR_OTHERS && word !== this.seen) {
      this.seen = word
      if (budget.isHeldUp()) budget.spend(this.unjudged + now - this.last)
      this.unjudged = 0
      this.nextQuestion = now + this.pause
      return
    }
    this.unjudged += now - this.last
    if (now < this.nextQuestion) return
    budget.spend(this.judge())
    this.unjudged = 0
    this.nextQuestion = now + this.pause
  }

  /**
   * How much of the time not judged yet counts.
   *
   * All of it, if the holder is stopped, or this thread itself, or sleeps, or if nothing can be known of it. Of a holder
   * that waits for a processor, what it ran meanwhile: others have the processors. Of one that sleeps because it waits
   * as well, all or nothing, as that wait counts: so those who wait for a thread that waits for a stopped one give up
   * together with it.
   */
  private judge(): number {
    const { words, record: own } = this.budget
    const { unjudged } = this
    const pairs = pairsOf(words)
    const record = this.findHolder()
    const holder = record < 0 ? 0n : Atomics.load(pairs, (record + THREAD_KERNEL_ID) / 2)
    const activity = holder === 0n ? undefined : activityOf(words, recordIndexOf(record))
    if (activity === undefined || ++this.questions % SURVEY_EVERY === 0) this.budget.takeOver(words)
    // What a dead one left may take more than one takeover.
    const isDead = holder !== 0n && activity === undefined
    this.pause = isDead ? FIRST_QUESTION_MS : Math.min(this.pause * 2, LONGEST_PAUSE_MS)
    const ran = activity?.ranMs ?? 0
    if (holder !== this.holder) {
      this.holder = holder
      this.holderRan = ran
    }
    const isSelf = holder === Atomics.load(pairs, (own + THREAD_KERNEL_ID) / 2)
    const sleeps = activity === undefined || isSelf ? 0 : Atomics.load(words, record + THREAD_SLEEPS)
    let counts = unjudged
    if (sleeps !== 0 && activity?.isStopped === false)
      counts = sleeps === SLEEPS_FOR_MOVING && !this.budget.isHeldUp() ? 0 : unjudged
    else if (activity?.isRunnable === true && !isSelf) counts = Math.min(ran - this.holderRan, unjudged)
    this.holderRan += Math.min(counts, ran - this.holderRan)
    this.isStalled = counts === unjudged
    return counts
  }

  /** First word of the record of the thread that is in the way, as far as can be told; else -1. */
  private findHolder(): number {
    const { words, record } = this.budget
    if (this.kind === WAITS_FOR_LOCK) return ownerOf(Atomics.load(words, this.at))
    if (this.kind === WAITS_FOR_BUCKET) return claimantOf(words, this.at / BLOCK_WORDS, this.segment, record)
    return this.kind === WAITS_FOR_WRITE ? this.at - THREAD_WRITE_SLOT : -1
  }
}
