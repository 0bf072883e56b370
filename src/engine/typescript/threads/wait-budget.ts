import { THREAD_SLEEPS } from '../../../format/layout.js'

/** Patience for one of several things that serve as well. */
export const NO_PATIENCE = 0
/** For what can be done later, by which a call should not be held up. */
export const LITTLE_PATIENCE = 1
/** For what the call cannot do without. */
export const ALL_PATIENCE = 2

/** In milliseconds; see docs/internals/protocol.md, "Waiting". */
let bound = 2000
/** What a call spends at most on what it could leave undone. */
const AFTERTHOUGHT_MS = 50
/** Less than this may be a thread that waits for its memory. */
const HELD_UP_MS = 100
/** However busy the machine is, a call ends after so many times the bound. */
const STARVATION = 5

/**
 * Changes the bound, in milliseconds, for all waiters of this thread from now on: for tests in which many wait in vain.
 */
export function setWaitBound(milliseconds: number): void {
  bound = milliseconds
}

/**
 * How long one call waits for other threads, all its waits together. See docs/internals/protocol.md, "Waiting".
 *
 * Thread safety: one thread, the one whose calls it limits.
 */
export class WaitBudget {
  /** How much of the budget is spent on waits from now on. */
  patience = ALL_PATIENCE
  /** First word of the record of who was in the way when a wait was given up; -1 if that is not known. */
  blocker = -1
  private isUsed = false
  /** Milliseconds that the call waited, and of these what counts against the bound. */
  private waited = 0
  private spent = 0

  /**
   * @param mark what the thread leaves in mutexes
   * @param record first word of its thread record
   * @param takeOver what a thread that waits calls now and then, so that it does not wait for the dead: `takeOverFromDead`,
   *   which knows everything that they may have left, and so stands above all that waits
   */
  constructor(
    readonly words: Int32Array,
    readonly mark: number,
    readonly record: number,
    readonly takeOver: (words: Int32Array) => boolean,
  ) {}

  /** A call begins. */
  renew(): void {
    if (!this.isUsed) return
    this.isUsed = false
    Atomics.store(this.words, this.record + THREAD_SLEEPS, 0)
    this.waited = 0
    this.spent = 0
    this.blocker = -1
  }

  /** Whether a wait has to end. */
  isSpent(): boolean {
    if (this.patience === NO_PATIENCE || this.waited >= STARVATION * bound) return true
    return this.spent >= (this.patience === ALL_PATIENCE ? bound : Math.min(bound, AFTERTHOUGHT_MS))
  }

  /**
   * Whether most of the waiting of this call counted: it is held up by a thread that stands still. Other threads are
   * then, too, and what they pass on among each other while they try again is no progress.
   */
  isHeldUp(): boolean {
    return this.spent >= HELD_UP_MS && 2 * this.spent >= this.waited
  }

  /** Notes milliseconds that were waited. */
  wait(milliseconds: number): void {
    this.isUsed = true
    this.waited += milliseconds
  }

  /** Notes that of these, some were time that others took without doing anything; see Backoff. */
  spend(milliseconds: number): void {
    this.spent += milliseconds
  }

  noteBlocker(record: number): void {
    if (record < 0) return
    this.isUsed = true
    this.blocker = record
  }

  /** Runs `attempt` with another patience. */
  with<T>(patience: number, attempt: () => T): T {
    const before = this.patience
    this.patience = patience
    try {
      return attempt()
    } finally {
      this.patience = before
    }
  }
}
