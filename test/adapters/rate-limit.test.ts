import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fastifyRateLimit from '@fastify/rate-limit'
import { expectTypeOf } from 'expect-type'
import { rateLimit, type Store } from 'express-rate-limit'
import { fastify, type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fastifyRateLimitStore, RateLimitStore } from '../../src/adapters/rate-limit.js'
import { advanceClock, ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

export interface Order {
  readonly file: string
  readonly engine: string
  readonly host: 'express' | 'fastify'
  readonly limit: number
  readonly windowMs: number
  /** Whether the counts are in the file; else each process has the default store of the host. */
  readonly isShared: boolean
}

const WINDOW_MS = 3_600_000
const LIMIT = 50
const { path, execArgv } = processCode(new URL('rate-limit.program.ts', import.meta.url))

/** A process that serves. */
class Server {
  readonly child: ChildProcess
  private constructor(order: Order) {
    this.child = fork(path, [JSON.stringify(order)], { execArgv })
  }
  private port = 0

  static async start(order: Order): Promise<Server> {
    const server = new Server(order)
    ;[server.port] = (await once(server.child, 'message')) as [number]
    return server
  }

  ask(client: string, route = '/'): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${route}`, { headers: { client } })
  }

  /** Asks for what is counted, but not answered. */
  async begin(client: string): Promise<void> {
    const begun = once(this.child, 'message')
    this.ask(client, '/slow').catch(() => undefined)
    await begun
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill(signal)
    await ended
  }
}

/** How many of `times` requests to each of the servers, all at once, were served. */
async function served(servers: readonly Server[], client: string, times: number): Promise<number> {
  const asked = servers.flatMap((server) => Array.from({ length: times }, () => server.ask(client)))
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  expect(new Set([...statuses, 200, 429])).toEqual(new Set([200, 429]))
  return statuses.filter((status) => status === 200).length
}

describe.each(['express', 'fastify'] as const)('%s in several processes', (host) => {
  let scratch: Scratch
  let servers: Server[] = []
  beforeEach(() => {
    scratch = new Scratch()
  })
  afterEach(() => {
    for (const { child } of servers) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    servers = []
    scratch[Symbol.dispose]()
  })

  async function start(count: number, engineOf: (i: number) => string, isShared = true): Promise<string> {
    const file = scratch.file()
    const order = { file, host, limit: LIMIT, windowMs: WINDOW_MS, isShared }
    servers = await Promise.all(
      Array.from({ length: count }, (_, i) => Server.start({ ...order, engine: engineOf(i) })),
    )
    return file
  }

  test('with the default store each process has a limit of its own', async () => {
    await start(3, () => 'auto', false)
    expect(await served(servers, 'ada', LIMIT)).toBe(3 * LIMIT)
  })

  describe.each(lineups)('$name', (lineup) => {
    test('the limit is exact for all together, for each client and in each window', async () => {
      const file = await start(3, lineup.engineOf)
      expect(await served(servers, 'ada', LIMIT)).toBe(LIMIT)
      expect(await served(servers, 'bob', 20)).toBe(LIMIT)
      using cache = new ConcurrentCache<string, number>({ file })
      advanceClock(cache, WINDOW_MS / 2)
      expect(await served(servers, 'ada', 5)).toBe(0)
      advanceClock(cache, WINDOW_MS / 2 + 60_000)
      expect(await served(servers, 'ada', 20)).toBe(LIMIT)
      expect(cache.verify().problems).toEqual([])
    })

    test('a process that is killed in the middle of requests loses no hit', async () => {
      const file = await start(3, lineup.engineOf)
      for (let i = 0; i < 10; i++) await servers[0].begin('ada')
      await servers[0].end('SIGKILL')
      expect(await served(servers.slice(1), 'ada', LIMIT)).toBe(LIMIT - 10)
      using cache = new ConcurrentCache<string, number>({ file })
      cache.repair()
      expect(cache.verify().problems).toEqual([])
    })
  })
})

describe.each(lineups)('the store of express-rate-limit, $name', (lineup) => {
  function open(): [ConcurrentCache<string, number>, ConcurrentCache<string, number>] {
    const cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    return [cache, ConcurrentCache.attach(cache.handle, { engine: lineup.engineOf(1) })]
  }

  function stores(...options: ConstructorParameters<typeof RateLimitStore>[1][]): RateLimitStore[] {
    const caches = open()
    return [0, 1].map((i) => {
      const store = new RateLimitStore(caches[i], options[i])
      store.init({ windowMs: WINDOW_MS })
      return store
    })
  }

  test('counts, looks and takes back, in one window', () => {
    const [a, b] = stores()
    expect(a.get('ada')).toBeUndefined()
    const before = Date.now()
    const { totalHits, resetTime } = a.increment('ada')
    expect(totalHits).toBe(1)
    expect(resetTime.getTime()).toBeGreaterThanOrEqual(before + WINDOW_MS - 1)
    expect(resetTime.getTime()).toBeLessThanOrEqual(Date.now() + WINDOW_MS)
    expect(b.increment('ada')).toEqual({ totalHits: 2, resetTime })
    expect(a.get('ada')).toEqual({ totalHits: 2, resetTime })
    b.decrement('ada')
    expect(a.get('ada')).toEqual({ totalHits: 1, resetTime })
    expect(a.increment('ada')).toEqual({ totalHits: 2, resetTime })
    b.resetKey('ada')
    expect(a.get('ada')).toBeUndefined()
  })

  test('a hit that is taken back late begins no window, and makes no count negative', () => {
    const [cache, other] = open()
    const [a, b] = [new RateLimitStore(cache), new RateLimitStore(other)]
    a.increment('ada')
    advanceClock(cache, 61_000)
    b.decrement('ada')
    expect(cache.has('rate-limit:ada')).toBe(false)
    a.increment('ada')
    for (let i = 0; i < 3; i++) b.decrement('ada')
    expect(a.get('ada')).toMatchObject({ totalHits: 0 })
    expect(a.increment('ada')).toMatchObject({ totalHits: 1 })
  })

  test('limiters with prefixes of their own share a cache, and reset only what is theirs', () => {
    const [pages, logins] = stores({ prefix: 'pages:' }, { prefix: 'logins:' })
    for (let i = 0; i < 5; i++) pages.increment(`client ${i}`)
    expect(logins.increment('client 1').totalHits).toBe(1)
    pages.resetAll()
    expect(pages.get('client 1')).toBeUndefined()
    expect(logins.get('client 1')?.totalHits).toBe(1)
    logins.shutdown()
    expect(logins.get('client 1')?.totalHits).toBe(1)
  })

  test('only a cache is taken, and right options', () => {
    const [cache] = open()
    using map = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
    const refused = expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error
    for (const given of [undefined, null, 5, {}, new Map(), map]) {
      expect(() => new RateLimitStore(given as never)).toThrow(refused)
      expect(() => fastifyRateLimitStore(given as never)).toThrow(refused)
    }
    for (const options of [null, 5, { prefix: 5 }, { prefixes: 'a' }]) {
      expect(() => new RateLimitStore(cache, options as never)).toThrow(refused)
      expect(() => fastifyRateLimitStore(cache, options as never)).toThrow(refused)
    }
    for (const windowMs of [0, -1, NaN, Infinity, undefined]) {
      expect(() => {
        new RateLimitStore(cache).init({ windowMs: windowMs as never })
      }).toThrow(refused)
    }
  })
})

test('the store has the type that express-rate-limit takes', () => {
  expectTypeOf<RateLimitStore>().toExtend<Store>()
  using cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
  expect(rateLimit({ limit: 5, store: new RateLimitStore(cache) })).toBeTypeOf('function')
})

describe('the store of @fastify/rate-limit', () => {
  const statuses = async (app: FastifyInstance, url: string, times: number): Promise<number[]> => {
    const all: number[] = []
    for (let i = 0; i < times; i++) all.push((await app.inject({ url, headers: { client: 'ada' } })).statusCode)
    return all
  }

  async function open(
    cache: ConcurrentCache<string, number>,
    options: fastifyRateLimit.RateLimitPluginOptions,
  ): Promise<FastifyInstance> {
    const app = fastify()
    await app.register(fastifyRateLimit, { max: 2, timeWindow: 1000, store: fastifyRateLimitStore(cache), ...options })
    app.get('/', () => 'served')
    app.get('/route', { config: { rateLimit: { max: 3 } } }, () => 'served')
    return app
  }

  test('routes with options of their own count for themselves', async () => {
    using cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
    const app = await open(cache, {})
    expect(await statuses(app, '/', 3)).toEqual([200, 200, 429])
    expect(await statuses(app, '/route', 4)).toEqual([200, 200, 200, 429])
    expect([...cache.keys()]).toHaveLength(2)
  })

  test('continueExceeding begins the window anew with each request above the limit', async () => {
    using cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
    const app = await open(cache, { continueExceeding: true, timeWindow: 1_000_000 })
    expect(await statuses(app, '/', 3)).toEqual([200, 200, 429])
    for (let i = 0; i < 3; i++) {
      advanceClock(cache, 900_000)
      expect(await statuses(app, '/', 1)).toEqual([429])
    }
    advanceClock(cache, 1_100_000)
    expect(await statuses(app, '/', 1)).toEqual([200])
  })

  test('exponentialBackoff doubles the time to wait', async () => {
    using cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
    const app = await open(cache, { exponentialBackoff: true, timeWindow: 1_000_000 })
    const [, , third, fourth, fifth] = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => Number((await app.inject({ url: '/' })).headers['x-ratelimit-reset'])),
    )
    expect([third, fourth, fifth]).toEqual([1000, 2000, 4000])
  })

  test('a look counts nothing, and an error reaches the host', async () => {
    const cache = new ConcurrentCache<string, number>({ maxBytes: 2 ** 20 })
    const app = await open(cache, {})
    const limiter = app.createRateLimit()
    app.get('/look', { config: { rateLimit: false } }, async (request) => await limiter(request, { increment: false }))
    const look = async (): Promise<unknown> => (await app.inject({ url: '/look' })).json()
    expect(await look()).toMatchObject({ remaining: 2, ttl: 0 })
    await statuses(app, '/', 1)
    expect(await look()).toMatchObject({ remaining: 1 })
    expect(await look()).toMatchObject({ remaining: 1 })
    cache.close()
    expect(await statuses(app, '/', 1)).toEqual([500])
  })
})
