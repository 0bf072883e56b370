// Node.js asks the resolver for every connection that it opens. `lookup` of an agent may ask a cache instead: once for all
// workers, and again when the address is too old.
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { once } from 'node:events'
import { Agent, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle } from 'mapsafe'

interface Order {
  readonly handle: CacheHandle
  readonly port: number
  readonly isCached: boolean
}
type Callback = (error: Error | null, address: string | LookupAddress[], family?: number) => void

if (isMainThread) {
  const server = createServer((_, response) => void response.end('served'))
  await once(server.listen(0, 'localhost'), 'listening')
  const { port } = server.address() as AddressInfo
  for (const isCached of [false, true]) {
    const addresses = new ConcurrentCache<string, LookupAddress[]>({ maxBytes: 2 ** 20 })
    const order: Order = { handle: addresses.handle, port, isCached }
    const workers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: order }))
    const asked = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [number][]
    const total = asked.flat().reduce((sum, each) => sum + each)
    console.log(`${isCached ? 'a cache' : 'none'}: the resolver was asked ${total} times for 30 connections`)
  }
  // none: the resolver was asked 30 times for 30 connections
  // a cache: the resolver was asked 1 times for 30 connections
  server.close()
} else {
  const { handle, port, isCached } = workerData as Order
  const addresses = ConcurrentCache.attach<string, LookupAddress[]>(handle)
  let asked = 0
  const resolve = (host: string): Promise<LookupAddress[]> => {
    asked++
    return promisify(lookup)(host, { all: true })
  }
  const cached = (host: string): Promise<readonly Readonly<LookupAddress>[]> =>
    addresses.getOrLoad(host, () => resolve(host), { ttl: 30_000, staleIfError: 600_000 })
  const look = (host: string, { all }: LookupOptions, callback: Callback): void => {
    const found = isCached ? cached(host) : resolve(host)
    found.then(
      (all_) => (all === true ? callback(null, [...all_]) : callback(null, all_[0].address, all_[0].family)),
      (error: unknown) => callback(error as Error, ''),
    )
  }
  const agent = new Agent({ keepAlive: false, lookup: look })
  for (let i = 0; i < 10; i++) {
    const request = get({ host: 'localhost', port, agent })
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream]
    response.resume()
    await once(response, 'end')
  }
  parentPort!.postMessage(asked)
  addresses.close()
}
