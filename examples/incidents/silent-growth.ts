// Silent growth: the memory of a map is fixed when it is made. A cache evicts what is used least, a map says that it is full.
import type { MapsafeError } from 'mapsafe'
import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

const cache = new ConcurrentCache<number, string>({ maxBytes: 2 ** 20 })
for (let id = 0; id < 10_000; id++) cache.set(id, 'x'.repeat(1000))

const map = new ConcurrentMap<number, string>({ maxBytes: 2 ** 20 })
let code = ''
try {
  for (let id = 0; id < 10_000; id++) map.set(id, 'x'.repeat(1000))
} catch (error) {
  code = (error as MapsafeError).code
}
console.log(cache.size < 1000, cache.stats().counters.evicted > 9000, code) // true true ERR_MAPSAFE_FULL
