// A program of its own, started by rate-limit.test.ts: a server whose clients are limited by counts in a file.
import type { AddressInfo } from 'node:net'
import fastifyRateLimit from '@fastify/rate-limit'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import { fastify } from 'fastify'
import { fastifyRateLimitStore, RateLimitStore } from '../../src/adapters/rate-limit.js'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'
import type { Order } from './rate-limit.test.js'

const { file, engine, host, limit, windowMs, isShared } = JSON.parse(process.argv[2]) as Order
const cache = new ConcurrentCache<string, number>({ file, engine: engine as EngineChoice, maxBytes: 2 ** 20 })

function listening({ port }: AddressInfo): void {
  process.send!(port)
}

if (host === 'express') {
  const app = express()
  const store = isShared ? { store: new RateLimitStore(cache) } : {}
  app.use(rateLimit({ limit, windowMs, keyGenerator: (request) => request.get('client') ?? 'nobody', ...store }))
  app.get('/', (_, response) => void response.send('served'))
  // Counted, and not answered.
  app.get('/slow', () => process.send!('slow'))
  const server = app.listen(0, '127.0.0.1', () => {
    listening(server.address() as AddressInfo)
  })
} else {
  const app = fastify()
  const store = isShared ? { store: fastifyRateLimitStore(cache) } : {}
  await app.register(fastifyRateLimit, {
    max: limit,
    timeWindow: windowMs,
    keyGenerator: (request) => String(request.headers.client),
    ...store,
  })
  app.get('/', () => 'served')
  app.get('/slow', () => {
    process.send!('slow')
    return new Promise(() => undefined)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  listening(app.server.address() as AddressInfo)
}
process.on('disconnect', () => process.exit())
