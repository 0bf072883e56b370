// Fills one map and reports the memory it takes.
import { workerData } from 'node:worker_threads'
import { keyOf, lastingKeys, VALUE_BYTES, valueOf } from '../harness/data.js'
import { openHolder, retainedHeap } from '../harness/holder.js'
import { answer } from '../harness/thread.js'
import type { MemorySetup } from './memory.js'

const { holder: name, size } = workerData as MemorySetup

answer((): number => {
  const before = retainedHeap()
  const holder = openHolder(name, size, VALUE_BYTES.string)
  // A chunk of keys at a time: flat strings, which only the map keeps.
  const chunk = 10_000
  for (let first = 0; first < size; first += chunk) {
    const keys = lastingKeys(Math.min(chunk, size - first), (n) => keyOf(first + n))
    for (const [index, key] of keys.entries()) holder.set(key, valueOf('string', first + index, 0))
  }
  const heap = retainedHeap() - before
  if (holder.get(keyOf(size - 1)) !== valueOf('string', size - 1, 0)) throw new Error(`${name} lost an entry`)
  const taken = heap + holder.sharedBytes()
  holder.close()
  return taken
})
