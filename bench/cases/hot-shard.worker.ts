// Counts on few keys that other workers count on too, and times some of the operations.
import { workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'
import { drawKeys } from '../harness/draws.js'
import { answer } from '../harness/thread.js'
import type { HotShardOrder, HotShardSetup, HotWork } from './hot-shard.js'

const { handle, keys: count, seed } = workerData as HotShardSetup
const TIMED_EVERY = 16
const DRAWS = 65_536

const map = ConcurrentMap.attach<string, number>(handle as MapHandle, { engine: 'native', nearCache: false })
const keys = Array.from({ length: count }, (_, n) => `hot ${n}`)
const draws = drawKeys(count, DRAWS, seed)

answer(({ milliseconds, ready, workers }: HotShardOrder): HotWork => {
  Atomics.add(ready, 0, 1)
  while (Atomics.load(ready, 0) < workers);
  const latencies: number[] = []
  const began = performance.now()
  const end = began + milliseconds
  let operations = 0
  let now = began
  while (now < end) {
    for (let i = 1; i < TIMED_EVERY; i++) map.increment(keys[draws[operations++ % DRAWS]])
    const before = performance.now()
    map.increment(keys[draws[operations++ % DRAWS]])
    now = performance.now()
    latencies.push((now - before) * 1e6)
  }
  return { operations, rate: operations / ((now - began) / 1000), latencies: Float64Array.from(latencies) }
})
