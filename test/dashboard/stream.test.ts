import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { dashboard } from '../../src/dashboard/index.js'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { metricsOf } from '../../src/observe/metrics/handler.js'
import { METRICS } from '../../src/observe/metrics/table.js'
import { until } from '../support/patience.js'
import { lineups } from '../support/run.js'
import { bearer, begin, eventsOf, framesOf, type Frame } from './asking.js'

const INTERVAL = 100

test.each(lineups)('$name: a frame has the figures of stats(), each time anew', async (lineup) => {
  using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0), nearCache: false })
  using cache = new ConcurrentCache<string, number>({ engine: lineup.engineOf(1), nearCache: false })
  await using page = dashboard({ 'a "map"': map, cache }, { interval: INTERVAL })
  map.set('a', 1)
  map.get('a')
  map.get('b')
  const events = eventsOf(await begin(await page.listen(), '/events', { headers: bearer(page.token) }))
  const [name, introduction] = (await events.next()).value as [string, object]
  expect(name).toBe('introduction')
  expect(introduction).toEqual({
    interval: INTERVAL,
    keys: false,
    metrics: METRICS.map(
      ({ name, help, kind, reading }) => expect.objectContaining({ name, help, kind, reading }) as unknown,
    ),
  })
  const next = async (): Promise<Frame> => ((await events.next()).value as [string, Frame])[1]
  const first = await next()
  expect(Object.keys(first.maps)).toEqual(['a "map"', 'cache'])
  const known = JSON.parse(JSON.stringify(metricsOf(map)))
  expect(first.maps['a "map"'].metrics).toEqual(known)
  expect(known.mapsafe_requests_total).toEqual({ hit: 1, miss: 1 })
  expect(first.maps['a "map"'].threads).toEqual(map.stats().threads)

  map.set('c', 1)
  let frame = first
  while (frame.maps['a "map"'].metrics.mapsafe_entries !== 2) frame = await next()
  expect(frame.at).toBeGreaterThan(first.at)
})

test('two processes or workers that serve the page tell the same', async () => {
  using map = new ConcurrentMap<string, number>({ nearCache: false })
  using again = ConcurrentMap.attach<string, number>(map.handle)
  const token = 'the-token-of-all-workers'
  await using one = dashboard({ map }, { token, interval: INTERVAL })
  await using two = dashboard({ map: again }, { token, interval: INTERVAL })
  map.set('a', 1).get('a')
  for await (const { maps } of framesOf(await one.listen(), '/events', token)) {
    for await (const { maps: others } of framesOf(await two.listen(), '/events', token)) {
      expect(others.map.metrics).toEqual(maps.map.metrics)
      break
    }
    break
  }
})

test.each([false, true])('keys are told only if asked to: %s', async (keys) => {
  using map = new ConcurrentMap<string | number | bigint | Uint8Array, number>({ nearCache: false })
  await using page = dashboard({ map }, { keys })
  for (let i = 0; i < 2000; i++) {
    map.set('the secret key', i)
    map.set(5n, i)
  }
  for await (const frame of framesOf(await page.listen(), '/events', page.token)) {
    const { hotKeys } = frame.maps.map
    expect(hotKeys).toHaveLength(2)
    expect(hotKeys[0].share).toBeGreaterThan(0)
    expect(hotKeys.map(({ key }) => key).sort()).toEqual(keys ? ['"the secret key"', '5n'] : [undefined, undefined])
    expect(JSON.stringify(frame).includes('secret')).toBe(keys)
    break
  }
})

test('a map that is closed, and one that cannot be read, are told as that, beside the others', async () => {
  using map = new ConcurrentMap<string, number>()
  const closed = new ConcurrentMap<string, number>()
  closed.close()
  const broken = {
    stats(): never {
      throw new Error('it is broken')
    },
    healthAsync: () => map.healthAsync(),
  }
  await using page = dashboard({ map, closed, broken }, { interval: INTERVAL })
  let frames = 0
  for await (const { maps } of framesOf(await page.listen(), '/events', page.token)) {
    expect(maps.closed).toEqual({ closed: true })
    expect(maps.broken).toEqual({ failure: 'it is broken' })
    expect(maps.map.metrics.mapsafe_entries).toBe(0)
    if (++frames === 3) break
  }
})

test('maps are looked at once for all who watch, and not at all while nobody does', async () => {
  using map = new ConcurrentMap<string, number>()
  let looks = 0
  const counted = { stats: () => (looks++, map.stats()), healthAsync: () => map.healthAsync() }
  await using page = dashboard({ counted }, { interval: INTERVAL })
  const url = await page.listen()
  const viewers = Array.from({ length: 5 }, () => framesOf(url, '/events', page.token))
  for (const viewer of viewers) await viewer.next()
  const before = looks
  for (let i = 0; i < 10; i++) await Promise.all(viewers.map((viewer) => viewer.next()))
  // A viewer of the first frame may be a frame behind.
  expect(looks - before).toBeLessThanOrEqual(15)
  for (const viewer of viewers) await viewer.return(undefined)

  // Watches again only to know that a timer of the same length has had its time.
  let last = looks
  const clock = setInterval(() => (last = looks), INTERVAL)
  let quiet = 0
  await until('nobody looks any more', () => {
    quiet = looks === last ? quiet + 1 : 0
    return quiet > 100
  })
  clearInterval(clock)
  const after = looks
  await new Promise((resolve) => setTimeout(resolve, 5 * INTERVAL))
  expect(looks).toBe(after)
})

test('more browsers than there is room for are sent away', async () => {
  using map = new ConcurrentMap<string, number>()
  await using page = dashboard({ map })
  const url = await page.listen()
  const headers = bearer(page.token)
  const statuses: (number | undefined)[] = []
  for (let i = 0; i < 33; i++) statuses.push((await begin(url, '/events', { headers })).statusCode)
  expect(statuses).toEqual([...Array.from({ length: 32 }, () => 200), 503])
})

test('a browser that does not read costs no memory, and is let go in the end', async () => {
  using map = new ConcurrentMap<string, number>()
  // A frame of a megabyte, so that the buffers of the system are full soon.
  const large = {
    stats: () => ({ ...map.stats(), threads: ['x'.repeat(2 ** 20)] as never }),
    healthAsync: () => map.healthAsync(),
  }
  await using page = dashboard({ large }, { interval: INTERVAL })
  const responses: ServerResponse[] = []
  const server = createServer((request, response) => {
    responses.push(response)
    page.handler(request, response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const slow = connect(port, '127.0.0.1')
  slow.on('error', () => undefined)
  slow.pause()
  slow.write(`GET /events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${page.token}\r\n\r\n`)
  try {
    await until('it watches', () => responses.length === 1)
    const [response] = responses
    let [most, seen] = [0, 0]
    const quick = framesOf(`http://127.0.0.1:${port}`, '/events', page.token)
    while (!response.destroyed) {
      await quick.next()
      seen++
      most = Math.max(most, response.writableLength)
    }
    expect(seen).toBeGreaterThan(30)
    // What a frame takes, and the next begun before that was known.
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThan(3 * 2 ** 20)
    await quick.return(undefined)
  } finally {
    slow.destroy()
    server.close().closeAllConnections()
  }
})
