// Ghost keys: what was deleted is gone, for every thread, and its memory is used again.
import { ConcurrentMap } from 'mapsafe'

const sessions = new ConcurrentMap<number, string>({ maxBytes: 2 * 2 ** 20 })
// Ten times as much as the map could hold at once.
for (let id = 0; id < 20_000; id++) {
  sessions.set(id, 'x'.repeat(1000))
  sessions.delete(id)
}
console.log(sessions.size, sessions.has(7), [...sessions.keys()].length) // 0 false 0
