import { workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from '../../src/index.js'

const { handle, ending } = workerData as { handle: MapHandle; ending: string }
const map = ConcurrentMap.attach<string, string>(handle, { engine: 'typescript' })
map.set('from the worker', ending)
if (ending === 'exit') process.exit(0)
if (ending === 'throw') throw new Error('as planned')
