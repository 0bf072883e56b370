// Maps and caches that belong to one thread: what people use today.
import { LRUCache } from 'lru-cache'
import QuickLRU from 'quick-lru'
import { setEach, type Contender, type ContenderKind } from './contender.js'

interface MapLike {
  get(key: string): unknown
  set(key: string, value: unknown): unknown
}

const TTL_MILLISECONDS = 3_600_000

const privateMap = (label: string, make: (size: number) => MapLike): ContenderKind => ({
  label,
  shared: false,
  asynchronous: false,
  supports: () => true,
  create: () => undefined,
  open: (_, { size }) => {
    const map = make(size)
    const contender: Contender = {
      get: (key) => map.get(key),
      set: (key, value) => map.set(key, value),
      fill: (entries) => setEach(contender, entries),
      close: () => undefined,
    }
    return contender
  },
})

export const map = privateMap('Map', () => new Map<string, unknown>())
export const lruCache = privateMap('lru-cache', (max) => new LRUCache<string, object | string | number>({ max }))
export const lruCacheTtl = privateMap(
  'lru-cache with ttl',
  (max) => new LRUCache<string, object | string | number>({ max, ttl: TTL_MILLISECONDS }),
)
export const quickLru = privateMap('quick-lru', (maxSize) => new QuickLRU<string, unknown>({ maxSize }))
