// One process of the service. Whichever of them serves a request, it uses what the others have loaded and counted.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { openCache } from './cache.js'
import { findProduct } from './database.js'

/** Requests that a client has for each minute. */
const LIMIT = 25

const cache = openCache(process.env.CACHE_FILE!)

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error)
    send(response, 500, { error: 'internal' })
  })
})

async function answer({ url = '/', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (url === '/stats') {
    send(response, 200, statistics())
    return
  }
  const id = /^\/products\/(\w+)$/.exec(url)?.[1]
  if (id === undefined) {
    send(response, 404, { error: 'not found' })
    return
  }
  // The counter lives for a minute from its first request on, and then begins anew.
  const requests = cache.increment(`requests:${String(headers['x-client'] ?? 'unknown')}`, 1, { ttl: 60_000 })
  if (requests > LIMIT) {
    send(response, 429, { error: 'too many requests' })
    return
  }
  // Of all requests that miss the same product, in all processes, one asks the database.
  send(response, 200, await cache.getOrLoad(`product:${id}`, () => findProduct(id)))
}

function statistics(): object {
  const { hits, misses, loads } = cache.stats().counters
  return { process: process.pid, entries: cache.size, hits, misses, loads, verdicts: cache.health().verdicts }
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
  server.close(() => {
    cache.close()
    if (process.connected) process.disconnect()
  })
}

// The primary says when to stop: a terminal sends its signals to all processes at once. Without a primary there is no
// service.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined)
process.on('message', stop)
process.on('disconnect', stop)
server.listen(Number(process.env.PORT ?? 0))
