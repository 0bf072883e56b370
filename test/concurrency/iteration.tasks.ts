import type { Key } from '../../src/index.js'
import type { Shift } from '../support/crew.js'
import { openMemory, type SharedMemory } from '../support/shared-memory.js'

export interface Scene {
  /** Numbers from 0 that are keys throughout. */
  readonly lasting: number
  /** Keys of each writing worker that come and go. */
  readonly passing: number
  /** Their length: the longer, the longer it takes to collect a segment's keys. */
  readonly keyLength: number
  readonly passes: number
}

/**
 * Worker 0's part is to iterate; that of the others to insert and delete passing keys, and to overwrite lasting ones,
 * until it has finished.
 */
export function iterateWhileOthersWrite(shift: Shift<number>, finished: SharedMemory, scene: Scene): string[] {
  const flag = new Int32Array(openMemory(finished))
  if (shift.worker !== 0) {
    for (let i = 0; Atomics.load(flag, 0) === 0; i++) write(shift, scene, i)
    return []
  }
  try {
    return Array.from({ length: scene.passes }, (_, pass) => iterate(shift, scene, pass)).flat()
  } finally {
    Atomics.store(flag, 0, 1)
  }
}

/** Waves of growth and shrinking. */
function write({ map, worker, random }: Shift<number>, { lasting, passing, keyLength }: Scene, i: number): void {
  if (random.chance(0.2)) {
    map.set(random.below(lasting), i)
    return
  }
  const isGrowing = Math.floor(i / passing) % 2 === 0
  const key = `passing ${worker} ${random.below(passing)}`.padEnd(keyLength, '.')
  if (random.chance(isGrowing ? 0.8 : 0.2)) map.set(key, i)
  else map.delete(key)
}

/** One pass over the map: returns what it did not keep of its promises. */
function iterate({ map, random }: Shift<number>, { lasting }: Scene, pass: number): string[] {
  const faults: string[] = []
  const seen = new Set<Key>()
  const deleted = new Set<Key>()
  const own = Array.from({ length: 200 }, (_, i) => `own ${i}`)
  for (const key of own) map.set(key, pass)

  for (const key of keysIn(map, pass)) {
    if (seen.has(key)) faults.push(`${String(key).slice(0, 20)} was met twice`)
    if (deleted.has(key)) faults.push(`${String(key).slice(0, 20)} was met after its deletion`)
    seen.add(key)
    if (!random.chance(0.1)) continue
    const victim = random.pick(own)
    map.delete(victim)
    deleted.add(victim)
  }
  for (let key = 0; key < lasting; key++) if (!seen.has(key)) faults.push(`lasting key ${key} was not met`)
  for (const key of own) if (!seen.has(key) && !deleted.has(key)) faults.push(`${key} was not met`)
  return faults
}

/** Each pass iterates in another way. */
function* keysIn(map: Shift<number>['map'], pass: number): Iterable<Key> {
  if (pass % 3 === 0) yield* map.keys()
  else if (pass % 3 === 1) for (const [key] of map.entries()) yield key
  else for (const [key] of map) yield key
}
