// One worker of the service whose cache loads what it misses. As in a server, many requests are under way at the same
// time.
import { setImmediate, setTimeout } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { retainedHeap } from './heap.js'
import { LOAD_MILLISECONDS, openLoadingCache } from './loading-caches.js'
import { isSampled, isWrite, keyOf, requestsFor } from './requests.js'
import { SessionDatabase } from './session.js'
import type { Order, TurnResult, WorkerSetup } from './worker-protocol.js'

/** Requests that a worker serves at the same time. */
const CLIENTS = 64
/** Requests after which a client lets others have their turn, as it would while it waits for its next one. */
const REQUESTS_A_VISIT = 16

const { cache: setup, database: memory, trace, seed, worker, workers } = workerData as WorkerSetup
const port = parentPort!
const database = new SessionDatabase(memory, trace.keys)
const rows = new Map(trace.keys.map((id, row) => [id, row]))
let loads = 0
const heapBefore = retainedHeap()
const cache = openLoadingCache(setup, async (id) => {
  loads++
  await setTimeout(LOAD_MILLISECONDS)
  return database.load(rows.get(id)!)
})

port.on('message', (order: Order) => {
  if (order === 'measure-heap') port.postMessage(retainedHeap() - heapBefore)
  else void serve(order.first, order.last).then((result) => port.postMessage(result))
})

async function serve(first: number, last: number): Promise<TurnResult> {
  const requests = requestsFor(worker, workers, trace, seed, first, last)
  const latencies: number[] = []
  const loadsBefore = loads
  let next = 0
  let reads = 0
  let stale = 0

  const handle = async (request: number): Promise<void> => {
    const row = keyOf(request)
    const id = trace.keys[row]
    if (isWrite(request)) {
      const session = database.change(row)
      cache.put(id, session)
      database.publish(row, session.version)
      return
    }
    const published = database.published(row)
    const session = await cache.get(id)
    reads++
    if (session.version < published) stale++
  }

  const serveClient = async (): Promise<void> => {
    while (next < requests.length) {
      const request = requests[next++]
      if (isSampled(request)) {
        const began = performance.now()
        await handle(request)
        latencies.push((performance.now() - began) * 1e6)
      } else {
        await handle(request)
      }
      if (next % REQUESTS_A_VISIT === 0) await setImmediate()
    }
  }

  const start = performance.now()
  await Promise.all(Array.from({ length: CLIENTS }, serveClient))
  const milliseconds = performance.now() - start
  const loaded = loads - loadsBefore
  return {
    ...{ requests: requests.length, milliseconds, reads, hits: reads - loaded, stale },
    latencies: Float64Array.from(latencies),
  }
}
