import type { Shift } from '../support/crew.js'
import { ownTime } from '../support/processor-time.js'

const HOT_KEYS = 4
const COLD_KEYS = 2000
const CALLS_PER_LOOK = 32

/**
 * Writes and reads a few hot keys and many cold ones for some time.
 *
 * @returns calls in a second, not counting the time for which the system gave the worker no processor
 */
export function workFor({ map, random }: Shift<number>, milliseconds: number): number {
  let calls = 0
  const began = ownTime()
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    for (let i = 0; i < CALLS_PER_LOOK; i++, calls++) {
      const choice = random.next()
      if (choice < 0.25) map.increment(`hot ${random.below(HOT_KEYS)}`)
      else if (choice < 0.5) map.set(`cold ${random.below(COLD_KEYS)}`, calls)
      else if (choice < 0.55) map.delete(`cold ${random.below(COLD_KEYS)}`)
      else map.get(`cold ${random.below(COLD_KEYS)}`)
    }
  }
  return (calls / (ownTime() - began)) * 1000
}
