import type { Key } from '../../format/key.js'
import { isEncodedKind } from '../../format/kinds.js'
import { Buffer } from '../../platform/buffer.js'
import { monotonic } from '../../platform/system-clock.js'
import { guards, type GuardEvent } from '../channels.js'
import { catchStack, framesOf } from '../stack.js'
import type { Teller } from '../teller.js'
import { Once } from './once.js'
import type { GuardName, ResolvedGuard } from './options.js'
import { Rates } from './rates.js'

const ADVICE: Readonly<Record<GuardName, string>> = {
  callsPerSecond: 'Keep its value in a variable for a while, or divide the key into several.',
  largeValueBytes: 'Divide the value into keys of their own, or store what is needed of it.',
  slowUpdateMs: 'Compute before the update, and let its function only put the results together.',
}

/**
 * Watches the thresholds of one map object, and tells of each key that exceeds one, once a minute.
 *
 * Thread safety: one thread.
 */
export class Guard {
  readonly #rates = new Rates()
  readonly #told: Readonly<Record<GuardName, Once>> = {
    callsPerSecond: new Once(),
    largeValueBytes: new Once(),
    slowUpdateMs: new Once(),
  }

  constructor(
    private readonly options: ResolvedGuard,
    private readonly teller: Teller,
  ) {}

  /** Notes a call about `key`. */
  called(key: Key): void {
    const { callsPerSecond } = this.options
    if (callsPerSecond === Infinity) return
    const now = monotonic()
    const calls = this.#rates.count(nameOf(key), now)
    if (calls > callsPerSecond) this.#exceeded('callsPerSecond', key, calls, now)
  }

  /** Notes a value that was stored, by the arguments of `Engine.put`. */
  stored(key: Key, kind: number, operand: unknown): void {
    const bytes = isEncodedKind(kind) ? (operand as number) : typeof operand === 'string' ? operand.length : 0
    if (bytes > this.options.largeValueBytes) this.#exceeded('largeValueBytes', key, bytes, monotonic())
  }

  /** Runs a function given to `update`. */
  timed<T>(key: Key, run: () => T): T {
    const start = monotonic()
    try {
      return run()
    } finally {
      const end = monotonic()
      if (end - start > this.options.slowUpdateMs) this.#exceeded('slowUpdateMs', key, end - start, end)
    }
  }

  #exceeded(guard: GuardName, key: Key, value: number, now: number): void {
    if (!this.#told[guard].passes(nameOf(key), now)) return
    const { keys, [guard]: threshold } = this.options
    this.teller.tell<GuardEvent>(
      guards,
      () => ({ guard, value, threshold, key: keys ? key : undefined, stack: framesOf(catchStack()) }),
      ADVICE[guard],
      ({ stack }) => ({ 'The call': stack }),
    )
  }
}

/** Returns a form of the key that `Map` compares by content. */
function nameOf(key: Key): unknown {
  if (typeof key !== 'object') return key
  return `bytes ${Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')}`
}
