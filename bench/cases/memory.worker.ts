// Fills one map and reports the memory it takes.
import { isDeepStrictEqual } from 'node:util'
import { workerData } from 'node:worker_threads'
import { pack } from 'msgpackr'
import { keyOf, lastingKeys, VALUE_BYTES, valueOf } from '../harness/data.js'
import { openHolder, retainedHeap } from '../harness/holder.js'
import { answer } from '../harness/thread.js'
import type { MemorySetup } from './memory.js'

const { holder: name, size, value: kind, packed } = workerData as MemorySetup

const stored = (n: number): unknown => (packed ? bytesOf(valueOf(kind, n, 0)) : valueOf(kind, n, 0))
/** Without the type Buffer, which no map returns. */
const bytesOf = (value: unknown): Uint8Array => new Uint8Array(pack(value))

answer((): number => {
  const before = retainedHeap()
  const holder = openHolder(name, size, VALUE_BYTES[kind])
  // A chunk of keys at a time: flat strings, which only the map keeps.
  const chunk = 10_000
  for (let first = 0; first < size; first += chunk) {
    const keys = lastingKeys(Math.min(chunk, size - first), (n) => keyOf(first + n))
    for (const [index, key] of keys.entries()) holder.set(key, stored(first + index))
  }
  const heap = retainedHeap() - before
  if (!isDeepStrictEqual(holder.get(keyOf(size - 1)), stored(size - 1))) throw new Error(`${name} lost an entry`)
  const taken = heap + holder.sharedBytes()
  holder.close()
  return taken
})
