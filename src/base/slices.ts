import { monotonic } from '../platform/system-clock.js'
import { nextTurn } from '../platform/turn.js'
import { readOptions } from './arguments.js'
import { describe } from './describe.js'
import { MapsafeTypeError } from './errors.js'
import { isAborted, isAbortSignal, reasonOf } from './signal.js'

/**
 * Options of the methods whose names end in `Async`. Wrong ones, and names that are no options, reject the call with
 * `ERR_MAPSAFE_OPTIONS`.
 */
export interface SlicedOptions {
  /**
   * Ends the call between two slices when the signal aborts: it is rejected with the signal's reason, and what was done
   * until then stays done. Default: no signal.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * Work over a whole map in steps. Each step yields how many entries, or what takes as long to look at, it dealt with;
 * some hundred at most. Between two steps it holds nothing that another thread may wait for.
 */
export type Job<T> = Generator<number, T, undefined>

/**
 * A slice ends with the step that brings it to so much work, or to so many milliseconds. The first bounds what a slow
 * clock lets through, the second what entries cost; a thousandth of a second keeps a slice with its last step below the
 * five that a service notices.
 */
export const SLICE_WORK = 4096
const SLICE_MS = 1

/** Does all of a job at once. */
export function atOnce<T>(job: Job<T>): T {
  for (;;) {
    const step = job.next()
    if (step.done === true) return step.value
  }
}

/**
 * Does a job in slices, between which the event loop has a turn. The first one is over when this returns.
 *
 * @throws the reason of the signal, if that aborts between two slices, or before the first one
 */
export async function inSlices<T>(job: Job<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    for (;;) {
      if (signal !== undefined && isAborted(signal)) throw reasonOf(signal)
      const end = monotonic() + SLICE_MS
      for (let work = 0; work < SLICE_WORK;) {
        const step = job.next()
        if (step.done === true) return step.value
        work += step.value
        if (monotonic() >= end) break
      }
      await nextTurn()
    }
  } finally {
    job.return(undefined as T) // what the job has in hand, if it was not done
  }
}

/** @throws MapsafeError `ERR_MAPSAFE_OPTIONS` for a wrong option */
export function readSignal(options: SlicedOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined
  const { signal } = readOptions(options, ['signal'])
  if (signal === undefined || isAbortSignal(signal)) return signal
  throw new MapsafeTypeError('ERR_MAPSAFE_OPTIONS', `Option signal is ${describe(signal)}; expected an AbortSignal.`)
}
