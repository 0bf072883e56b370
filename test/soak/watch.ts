import { appendFileSync } from 'node:fs'
import { MapsafeError } from '../../src/index.js'
import type { Random } from '../support/random.js'
import type { Ledger } from './ledger.js'
import type { Kind, Post } from './plan.js'

/**
 * No call waits longer for another member, in milliseconds: the bound of docs/internals/protocol.md, "Waiting", twice for calls
 * that wait for a bucket and then for the heap, and what a crowded machine adds.
 */
const LONGEST_CALL_MS = 8000
/** How many of its last calls a member tells with a violation. */
const REMEMBERED = 12

/** Performs a member's calls, takes their times, and reports what goes against a promise. */
export class Watch {
  readonly #last: string[] = []

  constructor(
    readonly post: Post,
    readonly ledger: Ledger,
    readonly random: Random,
  ) {}

  fail(violation: string): void {
    const { slot, engine, seed, places } = this.post
    const line = `member ${slot} (${engine}, seed ${seed}): ${violation}; last calls: ${this.#last.join(', ')}`
    appendFileSync(places.violations, `${line.replaceAll('\n', ' | ')}\n`)
  }

  /**
   * @param detail what the call is about, for the report of a violation
   * @returns whether the call went through: false if it timed out because somebody is stopped
   */
  call(kind: Kind, detail: string | number, action: () => void): boolean {
    this.#remember(kind, detail)
    const { ledger, post } = this
    const stops = Atomics.load(ledger.stops, post.process)
    const began = performance.now()
    let done = true
    try {
      action()
    } catch (error) {
      done = false
      this.#judge(kind, detail, error)
    }
    // A call is not to be blamed for a stop of its own process.
    if (stops % 2 === 0 && Atomics.load(ledger.stops, post.process) === stops) {
      const spent = performance.now() - began
      ledger.record(post.slot, kind, spent)
      if (spent > LONGEST_CALL_MS) this.fail(`${kind} of ${detail} took ${spent.toFixed(0)} ms`)
    }
    return done
  }

  #remember(kind: Kind, detail: string | number): void {
    this.#last.push(`${kind} ${detail}`)
    if (this.#last.length > REMEMBERED) this.#last.shift()
  }

  #judge(kind: Kind, detail: string | number, error: unknown): void {
    if (error instanceof MapsafeError && error.code === 'ERR_MAPSAFE_TIMEOUT') {
      Atomics.add(this.ledger.timeouts, this.post.slot, 1)
      if (this.ledger.excused) return
    }
    this.fail(`${kind} of ${detail} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
}
