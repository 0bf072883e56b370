// A rate limit across all workers: at most 100 requests a user, however they are spread. Counters are exact.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

const LIMIT = 100
const WORKERS = 4
const REQUESTS_PER_WORKER = 1000

if (isMainThread) {
  const counters = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL(import.meta.url), { workerData: counters.handle }),
  )
  const answers = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [number][]
  const allowed = answers.reduce((sum, [count]) => sum + count, 0)
  console.log(`${counters.get('ada') ?? 0} requests came, ${allowed} were allowed`) // 4000 requests came, 100 were allowed
} else {
  const counters = ConcurrentMap.attach<string, number>(workerData as MapHandle)
  let allowed = 0
  for (let request = 0; request < REQUESTS_PER_WORKER; request++) {
    if (counters.increment('ada') <= LIMIT) allowed++
  }
  parentPort!.postMessage(allowed)
}
