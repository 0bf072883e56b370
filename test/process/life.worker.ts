import { workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from '../../src/index.js'

/** Attaches and ends without closing. */
const { handle, engine } = workerData as { handle: MapHandle; engine: 'native' | 'typescript' }
ConcurrentMap.attach<string, number>(handle, { engine }).increment('workers')
