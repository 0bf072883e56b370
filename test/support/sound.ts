import { expect } from 'vitest'
import type { VerifyReport } from '../../src/index.js'
import { seed } from './run.js'

interface Verifiable {
  readonly size: number
  keys(): Iterable<unknown>
  verify(): VerifyReport
}

/** What must hold of every map while nobody writes: a sound structure, and as many keys as it says. */
export function expectSound(map: Verifiable): void {
  expect(map.verify().problems, `MAPSAFE_SEED=${seed}`).toEqual([])
  expect(map.size, `size, MAPSAFE_SEED=${seed}`).toBe([...map.keys()].length)
}
