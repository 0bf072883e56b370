// A stampede: a popular key is absent, and every request of every thread asks the database. One of them does, for all.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'

const query = async (page: string): Promise<string> => {
  await sleep(50)
  return `content of ${page}`
}
const ask = (pages: ConcurrentCache<string, string>): Promise<string[]> =>
  Promise.all(Array.from({ length: 50 }, () => pages.getOrLoad('/home', query)))

if (isMainThread) {
  const pages = new ConcurrentCache<string, string>({ maxBytes: 2 * 2 ** 20 })
  const workers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: pages.handle }))
  await Promise.all([ask(pages), ...workers.map((worker) => once(worker, 'exit'))])
  console.log(`${pages.stats().counters.loads} load for 200 requests`) // 1 load for 200 requests
} else {
  await ask(ConcurrentCache.attach<string, string>(workerData as CacheHandle))
}
