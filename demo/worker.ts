// One worker of the service: serves its share of the requests, turn by turn, from the cache it was given.
import { parentPort, workerData } from 'node:worker_threads'
import { openCache } from './caches.js'
import { retainedHeap } from './heap.js'
import { isSampled, isWrite, keyOf, requestsFor } from './requests.js'
import { SessionDatabase } from './session.js'
import type { Order, TurnResult, WorkerSetup } from './worker-protocol.js'

const { cache: setup, database: memory, trace, seed, worker, workers } = workerData as WorkerSetup
const port = parentPort!
const database = new SessionDatabase(memory, trace.keys)
const heapBefore = retainedHeap()
const cache = openCache(setup)

port.on('message', (order: Order) => {
  port.postMessage(order === 'measure-heap' ? retainedHeap() - heapBefore : serve(order.first, order.last))
})

function serve(first: number, last: number): TurnResult {
  const requests = requestsFor(worker, workers, trace, seed, first, last)
  const latencies: number[] = []
  let reads = 0
  let hits = 0
  let stale = 0

  const read = (row: number, id: string): void => {
    const published = database.published(row)
    let session = cache.get(id)
    if (session === undefined) session = cache.fill(id, database.load(row))
    else hits++
    reads++
    if (session.version < published) stale++
  }

  const write = (row: number, id: string): void => {
    const session = database.change(row)
    cache.put(id, session)
    database.publish(row, session.version)
  }

  const start = performance.now()
  for (const request of requests) {
    const row = keyOf(request)
    const handle = isWrite(request) ? write : read
    if (isSampled(request)) {
      const began = performance.now()
      handle(row, trace.keys[row])
      latencies.push((performance.now() - began) * 1e6)
    } else {
      handle(row, trace.keys[row])
    }
  }
  const milliseconds = performance.now() - start
  return { requests: requests.length, milliseconds, reads, hits, stale, latencies: Float64Array.from(latencies) }
}
