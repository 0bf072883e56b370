// Options of loads, and what loaders are given.
import {
  ConcurrentCache,
  type BreakerStats,
  type LoadContext,
  type LoadDefaults,
  type LoadOptions,
  type ManyLoadContext,
  type ManyLoader,
} from 'mapsafe'

interface Page {
  etag: string
  tags: string[]
}

const defaults: LoadDefaults = { ttl: 1000, timeout: 5000, negativeTtl: 0, staleWhileRevalidate: 10, staleIfError: 60 }
const pages = new ConcurrentCache<string, Page>({
  ttlJitter: 0.1,
  slidingTtl: 60_000,
  loadDefaults: defaults,
  breaker: { threshold: 0.5, volumeThreshold: 10, duration: 10_000, halfOpenAfter: 30_000 },
})
new ConcurrentCache({ breaker: true, loadDefaults: { staleIfError: undefined } })
new ConcurrentCache({ breaker: false })
ConcurrentCache.attach<string, Page>(pages.handle, { breaker: {}, loadDefaults: {} })

const options: LoadOptions = { ...defaults, forceRefresh: true, signal: new AbortController().signal }
const load = async (key: string, { signal, stale, ttl, setTtl }: LoadContext<Page>): Promise<Page> => {
  if (stale !== undefined && stale.version > 0 && key === stale.value.etag) {
    setTtl(ttl * 2)
    return { ...stale.value, tags: [...stale.value.tags] }
  }
  await fetch(key, { signal })
  return { etag: '', tags: [] }
}
export const page: Promise<{ readonly tags: readonly string[] }> = pages.getOrLoad('a', load, options)
void pages.getOrLoad('a', () => ({ etag: '', tags: [] }), { ttl: 5, signal: undefined })

const some: (Page | undefined)[] = []
export const many: Promise<typeof some> = pages
  .getManyOrLoad(['a', 'b'], () => [])
  .then((all) => all.map((found) => found && { etag: found.etag, tags: [...found.tags] }))
void pages.getManyOrLoad(new Set(['a']), async (keys) => {
  const all = new Map<string, Page>()
  for (const key of keys) all.set(key, await load(key, null!))
  return all
})
void pages.getManyOrLoad(
  ['a'],
  (keys: readonly string[]) => keys.map((key) => [key, load(key, null!)] as const),
  options,
)
const loadAll: ManyLoader<string, Page> = (keys, context: ManyLoadContext<string, Page>) => {
  context.setTtl(1000)
  for (const [key, { value, version }] of context.stale) context.setTtl(value.etag.length + version, key)
  return keys.map((key) => [key, { etag: String(context.signal.aborted), tags: [] }] as const)
}
void pages.getManyOrLoad(['a'], loadAll)

pages.set('a', { etag: '', tags: [] }, { slidingTtl: 5 })
pages.setMany([
  ['a', { etag: '', tags: [] }, { ttl: 5 }],
  ['b', { etag: '', tags: [] }, { expiresAt: 5 }],
  ['c', { etag: '', tags: [] }],
])
pages.touch('a', 5)
pages.touch('a', { slidingTtl: 5 })
const breaker: BreakerStats | undefined = pages.stats().breaker
export const state: 'closed' | 'half-open' | 'open' | undefined = breaker?.state
export const until: number | undefined = breaker?.until
