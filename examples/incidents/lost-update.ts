// A lost update: two threads read, change and write back. Here two map objects play the two threads, so that the order is certain.
import { ConcurrentMap } from 'mapsafe'

const one = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
const two = ConcurrentMap.attach<string, number>(one.handle)

const [first, second] = [one.get('hits') ?? 0, two.get('hits') ?? 0]
/* eslint-disable mapsafe/no-get-then-set -- the incident */
one.set('hits', first + 1)
two.set('hits', second + 1)
/* eslint-enable mapsafe/no-get-then-set */
const wrong = one.get('hits')

one.set('hits', 0)
one.increment('hits')
two.increment('hits')
console.log(wrong, one.get('hits')) // 1 2
