// Overwrites entries at a given rate, and notes the longest write of each span.
import { workerData } from 'node:worker_threads'
import { ConcurrentMap } from 'mapsafe'
import { keyOf, lastingKeys, valueOf } from '../harness/data.js'
import { randomNumbers } from '../harness/draws.js'
import { answer } from '../harness/thread.js'
import { STOP, type WriterOrder, type WriterSetup } from './snapshot.js'

const { handle, engine, size, seed } = workerData as WriterSetup
const VALUES = 4096
const map = ConcurrentMap.attach<string, unknown>(handle, { engine, nearCache: false })
const keys = lastingKeys(size, keyOf)
const values = Array.from({ length: VALUES }, (_, n) => valueOf('string', n, 1))
const random = randomNumbers(seed)
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Returns the number of writes. */
answer(({ writesPerSecond, phase, longest }: WriterOrder): number => {
  const interval = 1000 / writesPerSecond
  let due = performance.now()
  for (let writes = 0; ; writes++) {
    // Writes missed during a pause are not made up for.
    due = Math.max(due + interval, performance.now())
    for (let left = due - performance.now(); left > 0; left = due - performance.now()) Atomics.wait(sleeper, 0, 0, left)
    const first = Atomics.load(phase, 0)
    if (first === STOP) return writes
    const n = Math.floor(random() * size)
    const began = performance.now()
    map.set(keys[n], values[n % VALUES])
    const spent = performance.now() - began
    // A write may have begun before a span, and outlast it.
    for (let odd = first | 1; odd <= Atomics.load(phase, 0); odd += 2) {
      const span = (odd - 1) / 2
      longest[span] = Math.max(longest[span], spent)
    }
  }
})
