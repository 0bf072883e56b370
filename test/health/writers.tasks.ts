import type { Shift } from '../support/crew.js'

const KEYS = 3000
const ROUND = 200

/** Inserts, replaces and deletes entries of many sizes until `stop` is set. @returns how many writes there were */
export function churn({ map, random }: Shift<string>, stop: SharedArrayBuffer): number {
  const flag = new Int32Array(stop)
  let writes = 0
  while (Atomics.load(flag, 0) === 0) {
    for (let i = 0; i < ROUND; i++) {
      const key = random.below(KEYS)
      if (random.chance(0.3)) map.delete(key)
      else map.set(key, 'x'.repeat(random.below(400)))
    }
    writes += ROUND
  }
  return writes
}
