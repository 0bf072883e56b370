// Increments counters that other workers increment too, and times some of the operations.
import { workerData } from 'node:worker_threads'
import { ConcurrentMap } from 'mapsafe'
import { drawKeys } from '../harness/draws.js'
import { answer } from '../harness/thread.js'
import type { Increments, IncrementsOrder, IncrementsSetup } from './increments.js'

const TIMED_EVERY = 16
const DRAWS = 65_536

const { engine, counters, seed } = workerData as IncrementsSetup
const groups = counters.map(({ handle, keys }) => ({
  map: ConcurrentMap.attach<string, number>(handle, { engine, nearCache: false }),
  keys,
  draws: drawKeys(keys.length, DRAWS, seed),
}))

answer(({ index, milliseconds, ready, workers, bare }: IncrementsOrder): Increments => {
  const { map, keys, draws } = groups[index]
  const increment = bare === undefined ? (key: string) => map.increment(key) : (): number => Atomics.add(bare, 0, 1)
  Atomics.add(ready, 0, 1)
  while (Atomics.load(ready, 0) < workers);
  const latencies: number[] = []
  const began = performance.now()
  const end = began + milliseconds
  let operations = 0
  let now = began
  while (now < end) {
    for (let i = 1; i < TIMED_EVERY; i++) increment(keys[draws[operations++ % DRAWS]])
    const before = performance.now()
    increment(keys[draws[operations++ % DRAWS]])
    now = performance.now()
    latencies.push((now - before) * 1e6)
  }
  return { operations, rate: operations / ((now - began) / 1000), latencies: Float64Array.from(latencies) }
})
