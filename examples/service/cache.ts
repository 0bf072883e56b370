// What the processes of the service share: two caches in files, which the first of them makes and the others open.
import { join } from 'node:path'
import { ConcurrentCache } from 'mapsafe'
import type { Product } from './database.js'

export interface Caches {
  /** Products by their ids. */
  readonly products: ConcurrentCache<string, Product>
  /** Requests counted, by client. */
  readonly requests: ConcurrentCache<string, number>
}

export function openCaches(folder: string): Caches {
  return {
    products: new ConcurrentCache({
      file: join(folder, 'products.cache'),
      maxBytes: 2 * 2 ** 20,
      ttl: 20_000,
      ttlJitter: 0.2,
    }),
    requests: new ConcurrentCache({ file: join(folder, 'requests.cache'), maxBytes: 2 ** 20, ttl: 60_000 }),
  }
}
