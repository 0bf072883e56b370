// Prices that all workers share: a missing one is loaded once for all, lives for a minute, and the cache tells how it
// is doing.
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'

if (isMainThread) {
  const prices = new ConcurrentCache<string, number>({ maxBytes: 16 * 2 ** 20, ttl: 60_000 })
  const workers = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url), { workerData: prices.handle }))
  await Promise.all(workers.map((worker) => once(worker, 'exit')))

  for (const { name, advice } of prices.health().verdicts) if (advice !== undefined) console.warn(`${name}: ${advice}`)
  const { hits, misses, loads } = prices.stats().counters
  console.log(`${prices.size} prices, ${hits + misses} reads, ${loads} loads`) // 2 prices, 300 reads, 2 loads
} else {
  const prices = ConcurrentCache.attach<string, number>(workerData as CacheHandle)
  for (let i = 0; i < 100; i++) await prices.getOrLoad(i % 2 === 0 ? 'book' : 'lamp', priceOf)
  prices.close()
}

async function priceOf(item: string): Promise<number> {
  await setTimeout(20) // a database that takes its time
  return item.length * 3
}
