// A hot key: its reads come from each thread's near-cache, and stats() names the keys that are used most.
import { ConcurrentMap } from 'mapsafe'

const scores = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
for (let i = 0; i < 5000; i++) {
  scores.increment('popular')
  if (i % 50 === 0) scores.increment(`rare ${i}`)
}
for (let i = 0; i < 1000; i++) scores.get('popular')

const { hotKeys, counters } = scores.stats()
console.log(hotKeys[0].key, counters.nearHits > 990) // popular true
