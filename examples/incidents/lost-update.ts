// A lost update: two threads read, change and write back. Here two map objects play the two threads, so that the order is certain.
import { subscribe } from 'node:diagnostics_channel'
import { ConcurrentMap } from 'mapsafe'

let told = 0
subscribe('mapsafe.lost-update', () => told++)
const one = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20, lostUpdates: true })
const two = ConcurrentMap.attach<string, number>(one.handle, { lostUpdates: true })

const [first, second] = [one.get('hits') ?? 0, two.get('hits') ?? 0]
/* eslint-disable mapsafe/no-get-then-set -- the incident */
one.set('hits', first + 1)
two.set('hits', second + 1)
/* eslint-enable mapsafe/no-get-then-set */
const wrong = one.get('hits')

one.set('hits', 0)
one.increment('hits')
two.increment('hits')
console.log(wrong, told, one.get('hits')) // 1 1 2
