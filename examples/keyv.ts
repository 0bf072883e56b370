// A cache that all workers share, as the store of a Keyv: what one thread stores, every other thread's Keyv finds.
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import Keyv, { type KeyvOptions } from 'keyv'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'

/** Keyv calls `set(key, value, ttl)` with a number, where a cache takes options: hence this between the two. */
export class SharedStore {
  /** Set by Keyv, which puts `NAMESPACE:` before every key. */
  namespace: string | undefined

  constructor(private readonly cache: ConcurrentCache<string, unknown>) {}

  get = (key: string): unknown => this.cache.get(key)
  getMany = (keys: string[]): unknown[] => this.cache.getMany(keys)
  has = (key: string): boolean => this.cache.has(key)
  set = (key: string, value: unknown, ttl?: number): void => void this.cache.set(key, value, { ttl })
  delete = (key: string): boolean => this.cache.delete(key)

  /** Other namespaces keep what they have. */
  clear(): void {
    if (this.namespace === undefined) this.cache.clear()
    else this.cache.deleteMany([...this.cache.keys()].filter((key) => key.startsWith(`${this.namespace}:`)))
  }

  *iterator(namespace = ''): Generator<[string, unknown]> {
    for (const entry of this.cache) if (entry[0].startsWith(`${namespace}:`) || namespace === '') yield entry
  }
}

export function openKeyv(cache: ConcurrentCache<string, unknown>, options?: Omit<KeyvOptions, 'store'>): Keyv {
  const store = new SharedStore(cache)
  const keyv = new Keyv({ ...options, store })
  // By itself Keyv does so only for stores that it knows by name.
  keyv.iterator = keyv.generateIterator(store.iterator.bind(store) as never)
  return keyv
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
