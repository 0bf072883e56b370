import type { Key } from '../../src/index.js'
import type { Shift } from '../support/crew.js'

/**
 * Scans the worker's part of the map in steps, and between them writes, and inserts and deletes keys of its own.
 * Returns the lasting keys (the numbers) that it met.
 */
export function scanPart({ map, worker, workers, random }: Shift<number>, count: number, churn: number): Key[] {
  const met: Key[] = []
  let own = 0
  let cursor: number | undefined
  do {
    const step = map.scan(cursor, { count, part: worker, parts: workers })
    for (const [key] of step.entries) if (typeof key === 'number') met.push(key)
    for (let i = 0; i < churn; i++) {
      map.set(`${worker}-${own++}`, own)
      if (random.chance(0.5)) map.delete(`${worker}-${random.below(own)}`)
    }
    // Overwriting moves no key out of anybody's part.
    for (const key of met.slice(-churn)) map.set(key, own)
    cursor = step.cursor
  } while (cursor !== undefined)
  return met
}
