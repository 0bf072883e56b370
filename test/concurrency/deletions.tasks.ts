import type { Shift } from '../support/crew.js'

/**
 * Sets and deletes keys that only this worker writes, and reads all workers' keys. A value is the number of the write:
 * the own keys must hold the last one or be absent, and nobody's may go back.
 */
export function setAndDelete(
  { map, worker, workers, random }: Shift<number>,
  keys: string[][],
  times: number,
): string[] {
  const faults: string[] = []
  const own = new Map<string, number>()
  const seen = new Map<string, number>()
  for (let i = 1; i <= times && faults.length < 5; i++) {
    const key = random.pick(keys[worker])
    if (random.chance(0.5)) {
      map.set(key, i)
      own.set(key, i)
    } else {
      const wasThere = map.delete(key)
      if (wasThere !== own.delete(key)) faults.push(`delete of own key ${key} returned ${wasThere}`)
      if (map.has(key)) faults.push(`own key ${key} is there after its deletion`)
    }
    const check = random.pick(keys[worker])
    const found = map.get(check)
    if (found !== own.get(check)) faults.push(`own key ${check} is ${found}, not ${own.get(check)}`)

    const foreign = random.pick(keys[random.below(workers)])
    const number = map.get(foreign) ?? 0
    const before = seen.get(foreign) ?? 0
    if (number !== 0 && number < before) faults.push(`key ${foreign} went back from ${before} to ${number}`)
    if (number !== 0) seen.set(foreign, number)
  }
  return faults
}

/** Sets each key of its own, and clears the map now and then: what was there before a clear must be gone after it. */
export function setAndClear({ map, worker, random }: Shift<number>, keys: number, times: number): string[] {
  const faults: string[] = []
  for (let i = 0; i < times && faults.length < 5; i++) {
    const key = `${worker} ${random.below(keys)}`
    map.set(key, i)
    if (!random.chance(worker === 0 ? 0.02 : 0.002)) continue
    map.clear()
    if (map.has(key)) faults.push(`own key ${key} is there after a clear`)
  }
  return faults
}

/** Inserts while worker 0 clears; then, when that is over, once more: the late inserts must stay. */
export function insertAfterClear({ map, worker, rendezvous }: Shift<number>, keys: number, rounds: number): string[] {
  const faults: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < keys; i++) {
      map.set(`early ${worker} ${i}`, round)
      if (worker === 0 && i % 100 === 50) map.clear()
    }
    rendezvous()
    if (worker === 0) map.clear()
    rendezvous()
    for (let i = 0; i < keys; i++)
      if (map.has(`early ${worker} ${i}`)) faults.push(`early ${worker} ${i} survived a clear`)
    for (let i = 0; i < keys; i++) map.set(`late ${worker} ${i}`, round)
    rendezvous()
    for (let i = 0; i < keys; i++)
      if (map.get(`late ${worker} ${i}`) !== round) faults.push(`late ${worker} ${i} is lost`)
    rendezvous()
  }
  return faults
}
