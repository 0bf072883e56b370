import type { Shift } from '../support/crew.js'

export const KEYS = 300
export const LASTING = 2000
/** The key that ends the writers. */
export const STOP = 'stop'

/** How long the string is that key `i` holds; no two of {@link KEYS} keys share a length of one kind. */
export const lengthOf = (key: number, round: number): number => key + (round % 2) * 1000

/** Until there is {@link STOP}: writes keys whose size tells what they are, deletes some, and makes others come and go until segments split. */
export function write({ map, random, worker, rendezvous }: Shift): void {
  rendezvous()
  for (let i = 0; i % 64 !== 0 || !map.has(STOP); i++) {
    const key = random.below(KEYS)
    const draw = random.below(10)
    if (draw < 3) map.delete(key)
    else if (draw < 5) map.set(key, i)
    else map.set(key, 'x'.repeat(lengthOf(key, i)))
    map.increment(`counter ${key % 10}`)
    const passing = `passing ${worker} ${i % 3000}`
    if (i % 6000 < 3000) map.set(passing, 'y'.repeat(random.below(200)))
    else map.delete(passing)
  }
}
