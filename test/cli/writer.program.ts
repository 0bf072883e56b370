// Writes to a map file until it is killed: keys that stay, keys that come and go, and counters.
import { ConcurrentCache } from '../../src/index.js'
import { isOrphan } from '../support/orphan.js'

const [file] = process.argv.slice(2)
const cache = new ConcurrentCache<string, unknown>({ file, maxBytes: 2 ** 23 })
for (let i = 0; i < 500; i++) cache.set(`lasting ${i}`, { i, text: 'x'.repeat(i % 50) })
let round = 0
function write(): void {
  for (let i = 0; i < 200; i++, round++) {
    cache.set(`passing ${round % 300}`, round)
    cache.delete(`passing ${(round + 150) % 300}`)
    cache.increment('counter')
  }
  // From here on, 150 keys come and go.
  if (round === 400) console.log('ready')
  if (!isOrphan()) setImmediate(write)
}
write()
