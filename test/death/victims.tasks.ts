import type { Shift } from '../support/crew.js'
import { isOrphan } from '../support/orphan.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'
import { tellingValue } from '../support/telling-value.js'

/** Keys that a victim has to itself: `victim * OWN_KEYS` and up. */
export const OWN_KEYS = 48
/** Keys that all victims insert and delete, so that segments split and are cleaned up: FIRST_FILLER and up. */
export const FIRST_FILLER = 1_000_000
export const FILLERS = 3000
/** A counter that all victims count up. */
export const TOTAL = -1

/** What a victim tells of its work in a word each: the own key and the number of the write that it is at. */
export const AT_KEY = 0
export const AT_NUMBER = 1
/** Increments of TOTAL that returned. */
export const COUNTED = 2
/** For each own key, the number of the last write that returned; negative for a deletion, 0 for none. */
export const DONE = 3
export const LEDGER_BYTES = (DONE + OWN_KEYS) * 4

/** Writes until it dies, and keeps a ledger of what returned. Numbers go on from those of the victim's former lives. */
export function writeUntilDeath({ map, random }: Shift, memory: SharedMemory, victim: number): void {
  const ledger = new Int32Array(openMemory(memory))
  for (let number = Math.abs(Atomics.load(ledger, AT_NUMBER)) + 1; ; number++) {
    if (number % 256 === 0 && isOrphan()) process.exit()
    if (tellingValue(0, number) === '') continue // that value would not tell its number
    const own = random.below(OWN_KEYS)
    const key = victim * OWN_KEYS + own
    const entry = random.chance(0.25) ? -number : number
    Atomics.store(ledger, AT_KEY, own)
    Atomics.store(ledger, AT_NUMBER, entry)
    if (entry < 0) map.delete(key)
    else if (random.chance(0.1)) map.update(key, () => tellingValue(key, number))
    else map.set(key, tellingValue(key, number))
    Atomics.store(ledger, DONE + own, entry)

    const filler = FIRST_FILLER + random.below(FILLERS)
    if (random.chance(0.6)) map.set(filler, filler)
    else map.delete(filler)
    map.increment(TOTAL)
    Atomics.add(ledger, COUNTED, 1)
    if (random.chance(0.002)) map.snapshot()
  }
}
