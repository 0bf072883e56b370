// A load that dies: the thread that loads ends, and one of those that wait loads instead. No lock of it stays behind.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'

if (isMainThread) {
  const pages = new ConcurrentCache<string, string>({ maxBytes: 2 * 2 ** 20 })
  const worker = new Worker(new URL(import.meta.url), { workerData: pages.handle })
  await once(worker, 'message') // its load has begun
  const page = pages.getOrLoad('/home', () => 'loaded by the main thread')
  await worker.terminate()
  console.log(await page) // loaded by the main thread
} else {
  const pages = ConcurrentCache.attach<string, string>(workerData as CacheHandle)
  void pages.getOrLoad('/home', () => {
    parentPort!.postMessage('loading')
    return new Promise(() => undefined) // never ends
  })
  setInterval(() => undefined, 1000)
}
