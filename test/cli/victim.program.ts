// Writes to a map in memory until it is killed. Started by extracting.test.ts.
import { ConcurrentMap } from '../../src/index.js'
import { isOrphan } from '../support/orphan.js'

const map = new ConcurrentMap<string, unknown>({ maxBytes: 2 ** 22 })
map.set('session:ada', { user: 'Ada', cart: ['book'] })
for (let i = 0; i < 300; i++) map.set(`stock:${i}`, i)
map.delete('session:ada')
console.log('ready')
let round = 0
function write(): void {
  for (let i = 0; i < 1000; i++, round++) map.set(`stock:${round % 300}`, round)
  if (!isOrphan()) setImmediate(write)
}
write()
