import type { Shift } from '../support/crew.js'
import { isOrphan } from '../support/orphan.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import { tellingValue } from '../support/telling-value.js'

/** Inserts that a member was told were done, in a word. */
export const INSERTED = 0

/** Fills a cache, far over its bound, until it dies. */
export function fillUntilDeath({ map, random }: Shift, memory: SharedMemory, keys: number): void {
  const ledger = new Int32Array(openMemory(memory))
  for (let number = 1; ; number++) {
    if (number % 256 === 0 && isOrphan()) process.exit()
    const key = random.below(keys)
    if (random.chance(0.1)) map.delete(key)
    else map.set(key, tellingValue(key, number))
    Atomics.add(ledger, INSERTED, 1)
  }
}
