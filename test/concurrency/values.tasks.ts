import type { Shift } from '../support/crew.js'
import { faultOf, tellingValue } from '../support/telling-value.js'

/** Reads and writes a few hot keys in every way, and returns the faults of the values it met. */
export function readAndWrite({ map, random }: Shift, keys: number, times: number, writes: number): string[] {
  const faults: string[] = []
  for (let i = 0; i < times && faults.length < 5; i++) {
    const key = random.below(keys)
    const met = random.chance(writes) ? write() : random.chance(0.7) ? map.get(key) : map.getEntry(key)?.value
    const fault = met === undefined ? undefined : faultOf(key, met)
    if (fault !== undefined) faults.push(fault)

    function write(): unknown {
      const value = tellingValue(key, random.below(30_000))
      const way = random.below(10)
      if (way < 2) return map.swap(key, value)
      if (way < 3) return map.take(key)
      if (way < 4) map.delete(key)
      else map.set(key, value)
      return undefined
    }
  }
  return faults
}
