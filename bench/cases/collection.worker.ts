// Holds entries, does a service's garbage-making work beside them, and reports how long garbage collection took.
import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { keyOf } from '../harness/data.js'
import { collectGarbage, openHolder, type Holder } from '../harness/holder.js'
import { answer } from '../harness/thread.js'
import type { CollectionOrder, CollectionSetup, Pauses } from './collection.js'

const { holder: name, size, requests } = workerData as CollectionSetup
const VALUE_BYTES = 8
/** Results that live for a while, as responses under way and caches do: they outlive the young generation. */
const LASTING = 20_000

let holder: Holder | undefined

answer(async (order: CollectionOrder) => {
  switch (order) {
    case 'fill':
      holder = openHolder(name, size, VALUE_BYTES)
      for (let n = 0; n < size; n++) holder.set(keyOf(n), n)
      if (name !== 'nothing' && holder.get(keyOf(size - 1)) !== size - 1) throw new Error(`${name} lost an entry`)
      // The garbage of building the keys is not the map's.
      collectGarbage()
      return undefined
    case 'work':
      return await observe(serveRequests)
    case 'collect': {
      const began = performance.now()
      collectGarbage()
      return (performance.now() - began) * 1e6
    }
    case 'close':
      return holder?.close()
  }
})

/** Garbage collections while `work` runs. */
async function observe(work: () => void): Promise<Pauses> {
  const entries: PerformanceEntry[] = []
  const observer = new PerformanceObserver((list) => entries.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  work()
  // The entries are delivered in a later turn of the event loop.
  await sleep(20)
  entries.push(...observer.takeRecords())
  observer.disconnect()
  const durations = entries.map(({ duration }) => duration * 1e6)
  return {
    total: durations.reduce((sum, one) => sum + one, 0),
    longest: Math.max(0, ...durations),
    collections: durations.length,
  }
}

function serveRequests(): void {
  const lasting: unknown[] = Array.from({ length: LASTING })
  for (let request = 0; request < requests; request++) {
    const parts = `/users/${request}/orders/${request % 97}`.split('/')
    const response = { status: 200, user: parts[2], order: Number(parts[4]), lines: [request, request + 1, parts] }
    lasting[request % LASTING] = response
  }
  if (lasting.includes(undefined) && requests >= LASTING) throw new Error('a request was not served')
}
