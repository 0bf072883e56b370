// A dead lock holder: a thread is ended in the middle of a write, and others write the same key at once.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

/** So many races an update loses before it holds the key while its function runs. */
const LOST_RACES = 16

if (isMainThread) {
  const stock = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 }).set('books', 0)
  const worker = new Worker(new URL(import.meta.url), { workerData: stock.handle })
  await once(worker, 'online')
  let isHeld = false
  worker.on('message', () => (isHeld = true))
  while (!isHeld) {
    try {
      stock.increment('books')
    } catch {
      // The worker holds the key: ERR_MAPSAFE_TIMEOUT
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  await worker.terminate()
  const before = stock.get('books')!
  console.log(stock.increment('books') - before, stock.verify().ok) // 1 true
} else {
  const stock = ConcurrentMap.attach<string, number>(workerData as MapHandle)
  const pause = (milliseconds: number): unknown =>
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  let calls = 0
  stock.update('books', (count = 0) => {
    if (++calls > LOST_RACES) {
      parentPort!.postMessage('holding')
      for (;;) pause(1000)
    }
    while (stock.get('books') === count) pause(1) // until another thread wrote
    return count + 1
  })
}
