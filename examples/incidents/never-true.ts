// A size, or a sum, that was never true: a snapshot has all entries of one instant.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

if (isMainThread) {
  const accounts = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
  const worker = new Worker(new URL(import.meta.url), { workerData: accounts.handle })
  await once(worker, 'message')
  const wrong = new Set<number>()
  for (let i = 0; i < 200; i++) {
    const [numbers] = [new Map(accounts.snapshot())]
    // The worker always counts 'in' before 'out'.
    const difference = (numbers.get('in') ?? 0) - (numbers.get('out') ?? 0)
    if (difference !== 0 && difference !== 1) wrong.add(difference)
  }
  await worker.terminate()
  console.log(`${wrong.size} states that never were`) // 0 states that never were
} else {
  const accounts = ConcurrentMap.attach<string, number>(workerData as MapHandle)
  parentPort!.postMessage('ready')
  for (;;) {
    accounts.increment('in')
    accounts.increment('out')
  }
}
