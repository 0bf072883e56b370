// Asks for one missing key with many calls at once.
import { LRUCache } from 'lru-cache'
import { ConcurrentCache } from 'mapsafe'
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { answer } from '../harness/thread.js'
import type { Rush, StampedeSetup, Rushed } from './stampede.js'

const { handle } = workerData as StampedeSetup
const cache = ConcurrentCache.attach<string, Page>(handle)
const own = new LRUCache<string, Page>({ max: 1000, fetchMethod: (key) => load(key) })

interface Page {
  readonly key: string
  readonly sum: number
}

/** Milliseconds that a load waits for something outside, and then keeps the processor busy. */
const WAIT = 5
const WORK = 2

let loads = 0

async function load(key: string): Promise<Page> {
  loads++
  await sleep(WAIT)
  let sum = 0
  for (const start = performance.now(); performance.now() - start < WORK; sum++);
  return { key, sum }
}

const ways: Record<Rush['way'], (key: string) => Promise<unknown>> = {
  'get, else load and set': async (key) => {
    const found = cache.get(key)
    if (found !== undefined) return found
    const page = await load(key)
    // eslint-disable-next-line mapsafe/prefer-set-if-absent -- the way that `getOrLoad` is compared with
    cache.set(key, page)
    return page
  },
  "lru-cache's fetch, a cache for each worker": (key) => own.fetch(key),
  getOrLoad: (key) => cache.getOrLoad(key, load),
}

answer(async ({ way, key, calls }: Rush): Promise<Rushed> => {
  loads = 0
  const latencies = new Float64Array(calls)
  const call = async (i: number): Promise<void> => {
    const start = performance.now()
    const page = (await ways[way](key)) as Page
    latencies[i] = (performance.now() - start) * 1e6
    if (page.key !== key) throw new Error(`${way} returned ${page.key} for ${key}`)
  }
  await Promise.all(Array.from({ length: calls }, (_, i) => call(i)))
  return { latencies, loads }
})
