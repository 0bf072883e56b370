import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { metricsHandler, metricsOf } from '../../src/observe/metrics/handler.js'
import { exposeMaps } from '../../src/observe/metrics/prometheus.js'
import { METRICS } from '../../src/observe/metrics/table.js'
import { LOAD_TIME_BOUNDS } from '../../src/format/load-times.js'
import { lineups } from '../support/run.js'
import { client, parse } from './client.js'

afterEach(() => {
  for (const { name } of METRICS) client.register.removeSingleMetric(name)
})

const code = 'ERR_MAPSAFE_OPTIONS'
/** The metrics that need not be asked for. */
const usual = METRICS.filter(({ isOnRequest }) => isOnRequest !== true)

test('the table has one row for each name, in the manner of Prometheus', () => {
  const names = METRICS.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, kind, help, reading, label } of METRICS) {
    expect(name).toMatch(/^mapsafe_[a-z_]+$/)
    expect(name.endsWith('_total'), name).toBe(kind === 'counter')
    expect(name.endsWith('_seconds'), name).toBe(kind === 'histogram')
    expect(help).toMatch(/^[A-Z].*\.$/)
    expect(reading).not.toBe('')
    expect(label ?? 'none').toMatch(/^(none|result|cause|use|state|verdict)$/)
  }
})

describe.each(lineups)('$name', (lineup) => {
  test('a scrape has the figures of what was done', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0), nearCache: false })
    using cache = new ConcurrentCache<string, number>({ engine: lineup.engineOf(1), nearCache: false })
    using exposed = exposeMaps(client, { 'a "map"': map, cache })
    map.set('a', 1).set('b', 2).set('b', 3)
    map.get('a')
    map.get('c')
    map.delete('a')
    await cache.getOrLoad('d', () => 4)
    const { samples, types } = parse(await client.register.metrics())
    const of = (name: string, ...labels: string[]): number | undefined => samples.get(`${name}{${labels.join()}}`)
    const [first, second] = [String.raw`cache="a \"map\""`, 'cache="cache"']
    expect(of('mapsafe_requests_total', first, 'result="hit"')).toBe(1)
    expect(of('mapsafe_requests_total', first, 'result="miss"')).toBe(1)
    expect(of('mapsafe_removed_total', first, 'cause="replaced"')).toBe(1)
    expect(of('mapsafe_removed_total', first, 'cause="deleted"')).toBe(1)
    expect(of('mapsafe_entries', first)).toBe(1)
    expect(of('mapsafe_loads_total', first)).toBe(0)
    expect(of('mapsafe_loads_total', second)).toBe(1)
    expect(of('mapsafe_threads', second, 'state="running"')).toBe(1)
    expect(of('mapsafe_breaker_state', second, 'state="closed"')).toBe(1)
    expect(of('mapsafe_breaker_state', first, 'state="closed"')).toBeUndefined()
    const uses = [...samples].filter(([name]) => name.startsWith(`mapsafe_memory_bytes{${second}`))
    expect(uses.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(of('mapsafe_capacity_bytes', second))
    const buckets = [...samples].filter(([name]) => name.startsWith(`mapsafe_load_seconds_bucket{${second}`))
    expect(buckets.map(([name]) => name.slice(name.indexOf('le='))).at(-1)).toBe('le="+Inf"}')
    expect(buckets).toHaveLength(LOAD_TIME_BOUNDS.length + 1)
    expect(buckets.map(([, count]) => count)).toEqual(buckets.map(([, count]) => count).sort((a, b) => a - b))
    expect([buckets.at(-1)![1], of('mapsafe_load_seconds_count', second)]).toEqual([1, 1])
    expect(of('mapsafe_load_seconds_sum', second)).toBeGreaterThan(0)
    expect(of('mapsafe_load_seconds_count', first)).toBe(0)
    expect(of('mapsafe_takeovers_total', first)).toBe(0)
    expect(Object.fromEntries(types)).toEqual(Object.fromEntries(usual.map(({ name, kind }) => [name, kind])))

    // Again: nothing is added up.
    expect(parse(await client.register.metrics()).samples.get(`mapsafe_requests_total{${first},result="hit"}`)).toBe(1)
    exposed.stop()
    expect(await client.register.metrics()).not.toContain('mapsafe')
  })

  test('metrics of all maps as plain values', () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0) })
    map.set('a', 1)
    const values = metricsOf(map)
    expect(values).toMatchObject({ mapsafe_entries: 1, mapsafe_loads_total: 0, mapsafe_requests_total: { hit: 0 } })
    expect(Object.keys(values)).toEqual(usual.map(({ name }) => name).filter((name) => !name.includes('breaker')))
    expect(values.mapsafe_load_seconds).toEqual({
      bounds: LOAD_TIME_BOUNDS,
      counts: [...LOAD_TIME_BOUNDS, Infinity].map(() => 0),
      sum: 0,
    })
  })
})

describe('exposeMaps', () => {
  test('reads each map once for a scrape', async () => {
    using map = new ConcurrentMap()
    let reads = 0
    const counted = { stats: () => (reads++, map.stats()) }
    exposeMaps(client, { counted })
    await client.register.metrics()
    expect(reads).toBe(1)
    await client.register.metrics()
    expect(reads).toBe(2)
  })

  test('leaves out a map that was closed', async () => {
    const map = new ConcurrentMap()
    using other = new ConcurrentMap()
    exposeMaps(client, { map, other })
    map.close()
    const text = await client.register.metrics()
    expect(text).not.toContain('cache="map"')
    expect(text).toContain('cache="other"')
  })

  test('has the totals of one worker where those of cluster workers are added up', async () => {
    using map = new ConcurrentMap<string, number>()
    map.set('a', 1).set('a', 2)
    const registry = new client.Registry()
    exposeMaps(client, { map }, { registry })
    const worker = await registry.getMetricsAsJSON()
    const text = await client.AggregatorRegistry.aggregate([worker, structuredClone(worker)]).metrics()
    const { samples } = parse(text)
    expect(samples.get('mapsafe_removed_total{cache="map",cause="replaced"}')).toBe(1)
    expect(samples.get('mapsafe_entries{cache="map"}')).toBe(1)
  })

  test('refuses a registry that has metrics of maps, and leaves it as it is', async () => {
    using map = new ConcurrentMap()
    exposeMaps(client, { map })
    const message = /The registry has the metric mapsafe_requests_total already\. Give all its maps to one call/
    expect(() => exposeMaps(client, { other: map })).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    )
    expect(await client.register.metrics()).toContain('cache="map"')
    exposeMaps(client, { other: map }, { registry: new client.Registry() })
  })

  test.each([
    ['no client', undefined, {}, 'Argument client is undefined; expected the module prom-client'],
    ['another client', {}, {}, 'Argument client is an object; expected the module prom-client'],
    ['no maps', client, undefined, 'Argument maps is undefined; expected an object of maps by name'],
    ['a list with something else', client, [1], 'The map 0 is 1; expected a ConcurrentMap or a ConcurrentCache'],
    [
      'a name without a map',
      client,
      { a: undefined },
      'The map "a" is undefined; expected a ConcurrentMap or a ConcurrentCache',
    ],
    ['a Map', client, { a: new Map() }, 'expected a ConcurrentMap or a ConcurrentCache'],
  ])('refuses %s', (_, given, maps, message) => {
    expect(() => exposeMaps(given as never, maps as never)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })

  test('takes a list of maps, by the names that they have', async () => {
    using sessions = new ConcurrentMap({ name: 'sessions' })
    using attached = ConcurrentMap.attach(sessions.handle, { name: 'others' })
    using nameless = new ConcurrentCache()
    using opened = ConcurrentMap.open('opened for metrics')
    exposeMaps(client, [sessions, attached, nameless, opened])
    const { samples } = parse(await client.register.metrics())
    for (const name of ['sessions', 'others', 'cache', 'opened for metrics']) {
      expect(samples.get(`mapsafe_entries{cache="${name}"}`), name).toBe(0)
    }
  })

  test('refuses two maps of one name, and adds nothing', async () => {
    using one = new ConcurrentMap()
    using other = new ConcurrentMap()
    const message =
      /^Two of the maps are named "map", .* Open them with the option name, or give an object of maps by name\.$/
    const twice = expect.objectContaining({ code: 'ERR_MAPSAFE_NAME', message: expect.stringMatching(message) })
    expect(() => exposeMaps(client, [one, other])).toThrow(twice)
    expect(() => metricsHandler([one, other])).toThrow(twice)
    expect(await client.register.metrics()).not.toContain('mapsafe')
  })

  test('tells the verdicts of health() where they are asked for', async () => {
    using map = new ConcurrentMap<string, number>({ name: 'judged' })
    map.set('a', 1)
    exposeMaps(client, [map], { health: true })
    const { samples } = parse(await client.register.metrics())
    for (const { name, ok } of map.health().verdicts) {
      expect(samples.get(`mapsafe_health_ok{cache="judged",verdict="${name}"}`), name).toBe(ok ? 1 : 0)
    }
    const text = 'Option health is true, but the map "a" has no healthAsync()'
    expect(() => metricsHandler({ a: { stats: () => map.stats() } }, { health: true })).toThrow(text)
    expect(() => metricsHandler([map], { health: 1 as never })).toThrow('Option health is 1; expected true or false')
  })

  test('refuses a map in the place of an object of maps, and what is no registry', () => {
    using map = new ConcurrentMap()
    expect(() => exposeMaps(client, map as never)).toThrow(
      'expected an object of maps by name, such as { sessions }, or a list of maps.',
    )
    expect(() => exposeMaps(client, { map }, { registry: 1 as never })).toThrow(
      'Option registry is 1; expected a Registry of prom-client.',
    )
  })
})

describe('metricsHandler', () => {
  async function ask(server: Server, method: string): Promise<Response> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    try {
      return await fetch(`http://127.0.0.1:${port}/metrics.json`, { method })
    } finally {
      server.close()
    }
  }

  test('answers with the metrics of each open map, without keys and values', async () => {
    using map = new ConcurrentMap<string, string>()
    const closed = new ConcurrentMap()
    closed.close()
    map.set('secret key', 'secret value')
    const response = await ask(createServer(metricsHandler({ map, closed })), 'GET')
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const text = await response.text()
    expect(JSON.parse(text)).toEqual({ pid: process.pid, time: expect.any(Number), maps: { map: metricsOf(map) } })
    expect(text).not.toContain('secret')
    const judged = await ask(createServer(metricsHandler({ map }, { health: true })), 'GET')
    const { maps } = (await judged.json()) as { maps: { map: ReturnType<typeof metricsOf> } }
    expect(maps.map.mapsafe_health_ok).toMatchObject({ liveRatio: 1 })
  })

  test('answers HEAD without a body, and no other method', async () => {
    using map = new ConcurrentMap()
    const head = await ask(createServer(metricsHandler({ map })), 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    const post = await ask(createServer(metricsHandler({ map })), 'POST')
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})
