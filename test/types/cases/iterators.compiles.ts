// Walks are iterators as those of a Map.
import { ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, number>()
export const keys: MapIterator<string>[] = [map.keys(), map.snapshot().keys()]
export const values: MapIterator<number>[] = [map.values(), map.snapshot().values()]
export const entries: MapIterator<[string, number]>[] = [
  map.entries(),
  map[Symbol.iterator](),
  map.snapshot().entries(),
]
export const objects: IteratorObject<string, unknown, unknown>[] = [...keys]
for (const key of map.keys()) key.toUpperCase()
const step = map.keys().next()
if (step.done !== true) step.value.toUpperCase()
export const none: undefined = map.values().next().done === true ? undefined : undefined
