// A cache that all workers share, as the store of a Keyv: what one thread stores, every other thread's Keyv finds.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import Keyv, { type KeyvOptions } from 'keyv'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'
import { KeyvStore } from 'mapsafe/keyv5'

export function openKeyv(cache: ConcurrentCache<string, unknown>, options?: Omit<KeyvOptions, 'store'>): Keyv {
  return new Keyv({ ...options, store: new KeyvStore(cache) })
}

const isProgram = !isMainThread || process.argv[1] === fileURLToPath(import.meta.url)

if (isProgram && isMainThread) {
  const cache = new ConcurrentCache<string, unknown>({ maxBytes: 16 * 2 ** 20 })
  const users = openKeyv(cache, { namespace: 'users' })
  const worker = new Worker(new URL(import.meta.url), { workerData: cache.handle })
  await once(worker, 'exit')
  console.log(await users.get('ada')) // { name: 'Ada' }
} else if (isProgram) {
  const users = openKeyv(ConcurrentCache.attach(workerData as CacheHandle), { namespace: 'users' })
  await users.set('ada', { name: 'Ada' }, 60_000)
}
