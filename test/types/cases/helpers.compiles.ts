// With a `lib` that has them, iterators have helpers and may be declared with `using`.
import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

const map = new ConcurrentMap<string, { n: number }>()
export const lengths: number[] = map
  .keys()
  .map((key) => key.length)
  .filter((length) => length > 1)
  .take(5)
  .toArray()
export const sum: number = map.values().reduce((total, { n }) => total + n, 0)
export const first = map.entries().find(([key]) => key === 'a')?.[1].n
export const some: boolean = map
  .snapshot()
  .keys()
  .some((key) => key === 'a')
{
  using walk = map.keys()
  using cache = new ConcurrentCache<string, number>()
  console.log(walk, cache)
}
