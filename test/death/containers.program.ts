// A process in a container of its own, started by containers.test.ts: writes to the map in a file until it is killed, and
// says after each round how many were acknowledged.
import { writeSync } from 'node:fs'
import { ConcurrentMap, type EngineChoice } from '../../src/index.js'
import { REGISTRY_THREADS } from '../../src/format/layout.js'

const [file, engine, ...words] = process.argv.slice(2)
const name = words.join(' ')
const open = (): ConcurrentMap<string, number | string> =>
  new ConcurrentMap<string, number | string>({ file, engine: engine as EngineChoice })
const map = open()
if (name === 'all') for (let i = 1; i < REGISTRY_THREADS; i++) open()
for (let count = 1; ; count++) {
  map.set(`count of ${name}`, count)
  map.set(`text of ${name} ${count % 50}`, 'x'.repeat(count % 700))
  map.increment(`sum ${count % 3}`)
  if (count % 7 === 0) map.delete(`text of ${name} ${(count * 3) % 50}`)
  writeSync(1, `${count}\n`)
}
