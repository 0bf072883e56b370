// The same service twice: with an lru-cache in each worker, and with one ConcurrentCache for all. The calls are nearly the
// same: `max` is `maxEntries`, `fetchMethod` is the loader of `getOrLoad`, and `delete` is seen by all.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import { ConcurrentCache, ConcurrentMap, type CacheHandle, type MapHandle } from 'mapsafe'

interface Places {
  readonly users: CacheHandle
  readonly database: MapHandle
}
interface Cache {
  get(id: string): Promise<string | undefined>
  delete(id: string): void
}

if (isMainThread) {
  const users = new ConcurrentCache<string, string>({ maxEntries: 500, maxBytes: 2 ** 20, ttl: 300_000 })
  const database = new ConcurrentMap<string, string | number>({ maxBytes: 2 ** 20 })
  const places: Places = { users: users.handle, database: database.handle }
  const workers = [1, 2].map(() => new Worker(new URL(import.meta.url), { workerData: places }))
  const ask = async (worker: Worker, order: string): Promise<string> => {
    const answer = once(worker, 'message') as Promise<[string]>
    worker.postMessage(order)
    return (await answer)[0]
  }
  for (const cache of ['lru-cache', 'mapsafe']) {
    database.set('ada', 'Ada').set('reads', 0)
    for (const worker of workers) await ask(worker, `${cache} get`)
    const reads = database.get('reads') as number
    database.set('ada', 'Ada Lovelace')
    await ask(workers[0], `${cache} delete`)
    console.log(`${cache}: ${reads} reads; renamed, the other worker says ${await ask(workers[1], `${cache} get`)}`)
  }
  // lru-cache: 2 reads; renamed, the other worker says Ada
  // mapsafe: 1 reads; renamed, the other worker says Ada Lovelace
  for (const worker of workers) await worker.terminate()
} else {
  const places = workerData as Places
  const database = ConcurrentMap.attach<string, string | number>(places.database)
  const read = (id: string): Promise<string> => {
    database.increment('reads')
    return Promise.resolve(database.get(id) as string)
  }
  const lru = new LRUCache<string, string>({ max: 500, ttl: 300_000, fetchMethod: read })
  const users = ConcurrentCache.attach<string, string>(places.users)
  const caches: Record<string, Cache> = {
    'lru-cache': { get: (id) => lru.fetch(id), delete: (id) => void lru.delete(id) },
    mapsafe: { get: (id) => users.getOrLoad(id, read), delete: (id) => void users.delete(id) },
  }
  const obey = async (order: string): Promise<string | undefined> => {
    const [name, call] = order.split(' ')
    if (call === 'get') return caches[name].get('ada')
    caches[name].delete('ada')
    return 'deleted'
  }
  parentPort!.on('message', (order: string) => void obey(order).then((answer) => parentPort!.postMessage(answer)))
}
