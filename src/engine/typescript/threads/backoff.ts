import { buryTheDead } from './takeover.js'

/** Less than a microsecond each round: a bucket is held for far less than all of them. */
const SPINS = 64
const FIRST_SLEEP_MS = 0.05
const LONGEST_SLEEP_MS = 1
/** In milliseconds. Longer than any scheduling delay; see docs/protocol.md, "Waiting". */
let bound = 2000
/** Before the kernel is asked who is dead: longer than almost every wait, so that asking costs nothing. */
const PATIENCE_MS = 20

// A private word that nobody ever notifies: waiting on it is the only sleep JavaScript has on every thread.
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * Changes the bound, in milliseconds, for all waiters of this thread from now on: for tests in which many wait in vain.
 */
export function setWaitBound(milliseconds: number): void {
  bound = milliseconds
}

/**
 * Bounded waiting: spin, then sleep ever longer. Nobody depends on being woken, so a waiter survives a dead owner; and
 * what the dead held is taken over by those who wait.
 */
export class Backoff {
  private rounds = 0
  private sleepMs = FIRST_SLEEP_MS
  private deadline = 0
  private nextBurial = 0

  constructor(private readonly words: Int32Array) {}

  /** Waits a little longer each time. False once the bound is spent: the caller gives up. */
  wait(): boolean {
    if (++this.rounds <= SPINS) return true
    const now = performance.now()
    if (this.deadline === 0) {
      this.deadline = now + bound
      this.nextBurial = now + PATIENCE_MS
    }
    if (now > this.deadline) return false
    if (now >= this.nextBurial) {
      buryTheDead(this.words)
      this.nextBurial = performance.now() + PATIENCE_MS
    }
    Atomics.wait(sleeper, 0, 0, this.sleepMs)
    this.sleepMs = Math.min(this.sleepMs * 2, LONGEST_SLEEP_MS)
    return true
  }
}
