import { HASH_END, RESULT_STATUS } from '../../src/engine/engine.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import type { Shift } from '../support/crew.js'

/** Number of keys `stays 0`, `stays 1`, ..., which nobody writes. */
export const STAYING = 100

/** Keys of one worker at a time: enough for some ten segments. */
const PASSING = 2500

/**
 * The even workers insert and delete, so that segments split and join all the while; the odd ones look at the keys that
 * stay, and return what they found wrong.
 */
export async function lookWhileSegmentsJoin(shift: Shift, rounds: number): Promise<string[]> {
  const faults: string[] = []
  for (let round = 0; round < rounds; round++) {
    if (shift.worker % 2 === 0) breathe(shift, round)
    else await look(shift, faults)
  }
  return faults
}

function breathe({ map, worker }: Shift, round: number): void {
  const engine = storeOf(map).open()
  for (let i = 0; i < PASSING; i++) map.set(`${worker}.${round}.${i}`, 'passing')
  for (let i = 0; i < PASSING; i++) map.delete(`${worker}.${round}.${i}`)
  for (let hash = 0; hash < HASH_END;) {
    hash = engine.sweep(hash, 1_000_000)
    if (engine.result[RESULT_STATUS] < 0) return
  }
}

async function look({ map, random }: Shift, faults: string[]): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const key = random.below(STAYING)
    const value = map.get(`stays ${key}`)
    if (value !== key) faults.push(`stays ${key} is ${String(value)}`)
  }
  const check = (name: string, keys: readonly unknown[]): void => {
    const staying = keys.filter((key) => String(key).startsWith('stays'))
    if (staying.length !== STAYING || new Set(staying).size !== STAYING)
      faults.push(`${staying.length} keys that stay in ${name}`)
  }
  check('an iteration', [...map.keys()])
  check(
    'a snapshot',
    [...map.snapshot()].map(([key]) => key),
  )
  check(
    'a snapshot in steps',
    [...(await map.snapshotAsync())].map(([key]) => key),
  )
}
