// False sharing: threads that write different keys write different cache lines, and no count is lost.
import { once } from 'node:events'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

if (isMainThread) {
  const counts = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
  const workers = ['a', 'b'].map(
    (key) => new Worker(new URL(import.meta.url), { workerData: { handle: counts.handle, key } }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  console.log(counts.get('a'), counts.get('b')) // 20000 20000
} else {
  const { handle, key } = workerData as { handle: MapHandle; key: string }
  const counts = ConcurrentMap.attach<string, number>(handle)
  for (let i = 0; i < 20_000; i++) counts.increment(key)
}
