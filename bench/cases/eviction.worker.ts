// Asks a full cache for drawn keys, or stores new ones into it.
import { LRUCache } from 'lru-cache'
import { ConcurrentCache } from 'mapsafe'
import { workerData } from 'node:worker_threads'
import { expectedMark, lastingKeys, markOf, missingKeyOf, valueOf } from '../harness/data.js'
import { answer } from '../harness/thread.js'
import type { EvictionCache, EvictionOrder, Evictions, EvictionSetup } from './eviction.js'

interface Bounded {
  get(key: string): string | undefined
  set(key: string, value: string): unknown
}

/** Operations between two looks at the clock. */
const BATCH = 64

const { drawn, streamed, keys: size, draws, worker } = workerData as EvictionSetup
const keys = lastingKeys(size)
const newKeys = lastingKeys(size, missingKeyOf)
const values = keys.map((_, n) => valueOf('string', n, 0) as string)
const mark = markOf('string')

const open = (cache: EvictionCache): Bounded =>
  'handle' in cache
    ? ConcurrentCache.attach<string, string>(cache.handle, cache.options)
    : new LRUCache<string, string>({ max: cache.max })

const drawnCache = open(drawn)
const streamedCache = open(streamed)
// More than it may hold, so that no part of it has room left.
if (worker === 0) for (let n = 0; n < size; n++) streamedCache.set(keys[n], values[n])

let drawCursor = worker * (draws.length >> 1)
let streamCursor = 0

/** Gets the next keys drawn, and sets those that miss. Returns the hits. */
function draw(): number {
  let hits = 0
  for (let i = 0; i < BATCH; i++) {
    const n = draws[drawCursor++ & (draws.length - 1)]
    const found = drawnCache.get(keys[n])
    if (found === undefined) drawnCache.set(keys[n], values[n])
    else {
      hits++
      if (mark(found) !== expectedMark(n)) throw new Error(`key ${n} had another key's value`)
    }
  }
  return hits
}

/** Sets new keys: one that comes round again was evicted long ago. Nothing hits. */
function stream(): number {
  for (let i = 0; i < BATCH; i++, streamCursor = (streamCursor + 1) % size) {
    streamedCache.set(newKeys[streamCursor], values[streamCursor])
  }
  return 0
}

answer(({ kind, milliseconds, ready, workers }: EvictionOrder): Evictions => {
  const work = kind === 'draw' ? draw : stream
  Atomics.add(ready, 0, 1)
  while (Atomics.load(ready, 0) < workers);
  const began = performance.now()
  let now = began
  let hits = 0
  let operations = 0
  for (; now < began + milliseconds; now = performance.now(), operations += BATCH) hits += work()
  return { operations, hits, rate: operations / ((now - began) / 1000) }
})
