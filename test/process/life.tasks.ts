import { ConcurrentMap } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

export function write({ map }: Shift, key: string, value: unknown): void {
  map.set(key, value)
}

export function remove({ map }: Shift, key: string): void {
  map.delete(key)
}

/** Opens the map until no record is left; returns how many it opened, and the error's code. It closes none. */
export function takeAllRecords({ map }: Shift): { opened: number; code: string } {
  const maps: ConcurrentMap<string, unknown>[] = []
  try {
    for (;;) maps.push(ConcurrentMap.attach(map.handle))
  } catch (error) {
    return { opened: maps.length, code: (error as { code: string }).code }
  } finally {
    for (const one of maps) one.close()
  }
}
