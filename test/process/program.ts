// A program of its own, started by life.test.ts: writes to the map in a file, and ends in the way it is told.
import { ConcurrentMap, type EngineChoice } from '../../src/index.js'

const [file, engine, ending] = process.argv.slice(2)
const map = new ConcurrentMap<string, unknown>({ file, engine: engine as EngineChoice })
map.set('object', { from: ending, list: [1, 2, 3] })
for (let i = 0; i < 2000; i++) map.set(`key ${i}`, i)
for (let i = 0; i < 1000; i++) map.delete(`key ${i}`)
map.increment('runs')
if (ending === 'close') map.close()
if (ending === 'exit') process.exit(0)
if (ending === 'throw') throw new Error('as planned')
if (ending === 'kill') process.kill(process.pid, 'SIGKILL')
