import { ConcurrentCache, ConcurrentMap } from 'mapsafe'

interface Page {
  etag: string
}

const pages = new ConcurrentCache<string, Page>()
const page: Page = { etag: '' }
new ConcurrentCache({ loadDefaults: { forceRefresh: true } }) // refused
new ConcurrentCache({ loadDefaults: { signal: new AbortController().signal } }) // refused
new ConcurrentCache({ breaker: { resetTimeout: 5 } }) // refused
new ConcurrentCache({ breaker: 'on' }) // refused
new ConcurrentMap({ slidingTtl: 5 }) // refused
new ConcurrentMap({ breaker: true }) // refused
void pages.getOrLoad('a', () => page, { forceRefresh: 1 }) // refused
void pages.getOrLoad('a', () => page, { staleIfErrors: 5 }) // refused
void pages.getOrLoad('a', () => 'page') // refused
void pages.getOrLoad(1, () => page) // refused
void pages.getOrLoad('a', (_, { stale }) => ((stale!.value.etag = ''), page)) // refused
void pages.getOrLoad('a', (_, { setTtl }) => (setTtl('5'), page)) // refused
void pages.getManyOrLoad(['a'], () => ['a']) // refused
void pages.getManyOrLoad(['a'], () => new Map([[1, page]])) // refused
void pages.getManyOrLoad(['a'], (keys, { setTtl }) => (setTtl(5, 1), keys.map((key) => [key, page] as const))) // refused
void pages.getManyOrLoad('a', () => []).then(([one]) => one.etag) // refused
pages.setMany([['a', page, { lifetime: 5 }]]) // refused
pages.increment('a', 1, { slidingTtl: 5 }) // refused
pages.stats().breaker.state // refused
