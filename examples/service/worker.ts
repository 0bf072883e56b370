// One process of the service. Whichever of them serves a request, it uses what the others have loaded and counted.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dashboard } from 'mapsafe/dashboard'
import { exposeMaps } from 'mapsafe/prometheus'
import { Counter, Gauge, register } from 'prom-client'
import { openCaches } from './cache.js'
import { changePrice, findProduct } from './database.js'

/** Requests that a client has for each minute. */
const LIMIT = 25

const { products, requests } = openCaches(process.env.CACHE_FOLDER!)
exposeMaps({ Counter, Gauge, register }, { products, requests })
// All processes serve the page at one address, so they have one token. This service has no secret keys.
const page = dashboard({ products, requests }, { path: '/mapsafe', token: process.env.PAGE_TOKEN, keys: true })

const server = createServer((request, response) => {
  if (page.handler(request, response)) return
  answer(request, response).catch((error: unknown) => {
    console.error(error)
    send(response, 500, { error: 'internal' })
  })
})

async function answer({ url = '/', method, headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (url === '/metrics') {
    // Every process has the totals of all, so it does not matter which one is asked.
    const text = await register.metrics()
    response.writeHead(200, { 'content-type': register.contentType }).end(text)
    return
  }
  if (url === '/stats') {
    send(response, 200, await statistics())
    return
  }
  const { id, price } = /^\/products\/(?<id>\w+)(?:\?price=(?<price>\d+))?$/.exec(url)?.groups ?? {}
  if (!id) {
    send(response, 404, { error: 'not found' })
    return
  }
  // The counter lives for a minute from its first request on, and then begins anew.
  if (requests.increment(String(headers['x-client'] ?? 'unknown'), 1, { ttl: 60_000 }) > LIMIT) {
    send(response, 429, { error: 'too many requests' })
    return
  }
  if (method === 'PUT' && price) {
    await changePrice(id, Number(price))
    // All processes read the new price from now on.
    products.delete(id)
  }
  // Of all requests that miss the same product, in all processes, one asks the database.
  send(response, 200, await products.getOrLoad(id, () => findProduct(id)))
}

async function statistics(): Promise<object> {
  const { hits, misses, loads } = products.stats().counters
  const { verdicts } = await products.healthAsync()
  return { process: process.pid, entries: products.size, hits, misses, loads, verdicts }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    // Connections that are kept alive would keep a stopping server.
    ...(stopping && { connection: 'close' }),
  })
  response.end(JSON.stringify(body))
}

let stopping = false

/** Takes no more connections, answers the requests that have come, and lets the process end. */
function stop(): void {
  if (stopping) return
  stopping = true
  // Browsers that watch would never end by themselves.
  void page.close()
  server.close(() => {
    products.close()
    requests.close()
    if (process.connected) process.disconnect()
  })
}

// The primary says when to stop: a terminal sends its signals to all processes at once. Without a primary there is no
// service.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
process.on('message', stop)
process.on('disconnect', stop)
server.listen(Number(process.env.PORT ?? 0))
