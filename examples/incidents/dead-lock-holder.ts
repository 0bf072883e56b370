// A dead lock holder: a thread is ended in the middle of a write, and others write the same key at once.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

if (isMainThread) {
  const stock = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
  const worker = new Worker(new URL(import.meta.url), { workerData: stock.handle })
  await once(worker, 'message')
  // The worker's update loses every race, so that it holds the key in the end, and stays in its function.
  while (stock.stats().threads.every(({ holds }) => holds.length === 0)) {
    try {
      stock.increment('books')
    } catch {
      break // it holds the key
    }
  }
  await worker.terminate()
  const before = stock.get('books')!
  console.log(stock.increment('books') - before, stock.verify().ok) // 1 true
} else {
  const stock = ConcurrentMap.attach<string, number>(workerData as MapHandle)
  parentPort!.postMessage('ready')
  let calls = 0
  stock.update('books', (count = 0) => {
    const seen = Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    if (++calls > 16) for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
    return seen === 'timed-out' ? count : count + 1
  })
}
