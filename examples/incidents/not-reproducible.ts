// A fault that nobody can reproduce: the memory of a map, or a copy of its file, is looked at without a part in it.
import { ConcurrentMap } from 'mapsafe'
import { openInspection } from 'mapsafe/inspect'

const sessions = new ConcurrentMap<string, string>({ maxBytes: 2 ** 20 })
sessions.set('s1', 'Ada').set('s2', 'Bo')

// In a service, this is a copy of the file, a piece of a core dump, or the file itself while others write it.
const copy = new Uint8Array(sessions.handle.region!).slice()
sessions.delete('s1')
using seen = openInspection(copy)
console.log([...seen.keys()].sort(), seen.verify().problems, seen.threads().length) // [ 's1', 's2' ] [] 1
