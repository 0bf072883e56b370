// What the processes of the service share: a cache in a file, which the first of them makes and the others open.
import { ConcurrentCache } from 'mapsafe'
import type { Product } from './database.js'

/** Products by `product:ID`, requests counted by `requests:CLIENT`. */
export type Cache = ConcurrentCache<string, Product | number>

export function openCache(file: string): Cache {
  return new ConcurrentCache({ file, maxBytes: 4 * 2 ** 20, ttl: 60_000 })
}
