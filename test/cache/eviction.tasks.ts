import type { Shift } from '../support/crew.js'
import { faultOf, tellingValue } from '../support/telling-value.js'

/** Reads, writes and deletes keys of a cache that holds few of them; returns what was wrong. */
export function useCache({ map, random }: Shift, times: number, keys: number, maxEntries: number): string[] {
  const faults: string[] = []
  for (let i = 0; i < times; i++) {
    const key = Math.floor(keys * random.next() ** 2)
    const draw = random.next()
    if (draw < 0.05) map.delete(key)
    else if (draw < 0.2) map.set(key, tellingValue(key, i))
    else {
      const value = map.get(key)
      // eslint-disable-next-line mapsafe/prefer-set-if-absent -- writes race, on purpose
      if (value === undefined) map.set(key, tellingValue(key, i))
      else {
        const fault = faultOf(key, value)
        if (fault !== undefined) faults.push(fault)
      }
    }
    if (i % 100 === 0 && maxEntries > 0 && map.size > maxEntries + 8) faults.push(`${map.size} entries`)
  }
  return faults.slice(0, 10)
}
