import { storeOf } from '../../src/public/concurrent-map.js'
import { HEADER_SHAPE_COUNT } from '../../src/format/layout.js'
import { Random } from '../support/random.js'
import type { Shift } from '../support/crew.js'

export const NAMES_PER_SHAPE = 10

/**
 * Adds `count` shapes in an order of its own, and reads at once all that other threads have added, as a mirror does.
 * Returns the ids, by parent and name.
 */
export function addAll({ map, worker }: Shift, seed: number, count: number): Record<string, number> {
  const engine = storeOf(map).open()
  const random = new Random(seed).fork(worker)
  const ids = new Map<number, number>([[0, 0]])
  const found: Record<string, number> = {}
  let seen = 0
  for (let from = 0; from < count; from += NAMES_PER_SHAPE) {
    const parent = from === 0 ? 0 : ids.get(from / NAMES_PER_SHAPE - 1)!
    const names = Array.from({ length: NAMES_PER_SHAPE }, (_, i) => from + i)
    while (names.length > 0) {
      const [i] = names.splice(random.below(names.length), 1)
      const id = engine.addShape(parent, `name ${i}`)
      if (id <= 0) throw new Error(`shape ${i} was not added: ${id}`)
      found[`${parent} name ${i}`] = id
      ids.set(i, id)
      for (const end = engine.words[HEADER_SHAPE_COUNT]; seen < end;) {
        const shape = engine.readShape(++seen)
        if (shape === undefined || shape.parent >= seen || !shape.name.startsWith('name ')) {
          throw new Error(`shape ${seen} of ${end} is ${JSON.stringify(shape)}`)
        }
      }
    }
  }
  return found
}
