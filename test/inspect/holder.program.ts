// Started by threads.test.ts: has the map in a file open until it is killed.
import { ConcurrentMap, type EngineChoice } from '../../src/index.js'

const [file, engine] = process.argv.slice(2)
const map = new ConcurrentMap<string, number>({ file, engine: engine as EngineChoice })
map.set('key', 1)
setInterval(() => map.get('key'), 1000)
