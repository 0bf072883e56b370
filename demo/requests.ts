import { randomAt } from './random.js'
import type { Trace } from './trace.js'

/** Of 100 requests, so many change the session; the others read it. */
export const WRITE_PERCENT = 5
/** One request in so many is timed, drawn at random: reading the clock costs about as much as the request. */
export const SAMPLE_INTERVAL = 16

const WRITE = 1
const SAMPLED = 2
const KEY_SHIFT = 2

/** Key index of a request. */
export function keyOf(request: number): number {
  return request >>> KEY_SHIFT
}

export function isWrite(request: number): boolean {
  return (request & WRITE) !== 0
}

export function isSampled(request: number): boolean {
  return (request & SAMPLED) !== 0
}

/**
 * The requests from number `first` up to, not including, `last` that a load balancer hands to `worker`, picking a
 * worker at random for each. They depend on nothing but the parameters: both caches get the same. After its end the
 * trace begins again.
 */
export function requestsFor(
  worker: number,
  workers: number,
  trace: Trace,
  seed: number,
  first: number,
  last: number,
): Uint32Array {
  const { accesses } = trace
  const mine = new Uint32Array(last - first)
  let length = 0
  for (let number = first; number < last; number++) {
    // Disjoint bits for each decision, as 16 is a power of two.
    const random = randomAt(seed, number)
    if ((random >>> 16) % workers !== worker) continue
    const write = (random & 0xfff) < (WRITE_PERCENT / 100) * 0x1000 ? WRITE : 0
    const sampled = (random >>> 12) % SAMPLE_INTERVAL === 0 ? SAMPLED : 0
    mine[length++] = (accesses[number % accesses.length] << KEY_SHIFT) | write | sampled
  }
  return mine.subarray(0, length)
}
