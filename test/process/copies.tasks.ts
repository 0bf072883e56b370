import { ConcurrentMap, type EngineChoice } from '../../src/index.js'
import type { Shift } from '../support/crew.js'
import { tellingValue } from '../support/telling-value.js'

export const KEYS = 40

/** Writes telling values to the crew's map. */
export function write({ map, random, worker, rendezvous }: Shift, rounds: number): void {
  rendezvous()
  for (let i = 0; i < rounds; i++) {
    const key = random.below(KEYS)
    if (random.below(10) === 0) map.delete(key)
    else map.set(key, tellingValue(key, i * 8 + worker))
  }
}

/** Opens the file, writes a little and closes it, over and over, so that copies meet it open, closed and in between. */
export function openAndClose(
  { random, worker, rendezvous }: Shift,
  file: string,
  engines: EngineChoice[],
  rounds: number,
): void {
  rendezvous()
  for (let i = 0; i < rounds; i++) {
    using map = new ConcurrentMap<number, unknown>({ file, engine: engines[worker], nearCache: false })
    for (let j = 0; j < 20; j++) {
      const key = random.below(KEYS)
      map.set(key, tellingValue(key, (i * 20 + j) * 8 + worker))
    }
  }
}

/** Opens each of `paths` at the same time as the others do, and counts itself in it. */
export function openCopies({ rendezvous }: Shift, paths: string[]): number[] {
  return paths.map((file) => {
    rendezvous()
    using map = new ConcurrentMap<string, number>({ file })
    return map.increment('openers')
  })
}
