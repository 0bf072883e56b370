import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dashboard, type Dashboard } from '../../src/dashboard/index.js'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { ask, bearer, begin, framesOf, type Answer } from './asking.js'

const FILES = ['/', '/style.css', '/panels.css', '/icon.svg', '/page.js', '/uPlot.iife.min.js']
const code = 'ERR_MAPSAFE_OPTIONS'

let map: ConcurrentMap<string, string>
let page: Dashboard
let url: string
let servers: Server[]

beforeEach(async () => {
  map = new ConcurrentMap({ maxBytes: 2 ** 20 })
  page = dashboard({ map })
  url = await page.listen()
  servers = []
})

afterEach(async () => {
  await page.close()
  map.close()
  for (const server of servers) server.close().closeAllConnections()
})

async function serve(listener: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Asks for figures, which the token opens. */
async function askForFigures(headers: Readonly<Record<string, string>>): Promise<number> {
  const response = await begin(url, '/events', { headers })
  response.destroy()
  return response.statusCode!
}

const swapCase = (text: string): string =>
  Array.from(text, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())).join('')

const isShut = ({ headers }: Answer): void => {
  expect(headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
  })
  const policy = headers['content-security-policy'] as string
  expect(policy).toMatch(/default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/)
  expect(policy).not.toMatch(/unsafe|data:|https?:|\*/)
  // Nobody else may read it.
  expect(headers['access-control-allow-origin']).toBeUndefined()
}

test.each(FILES)('%s is there for everybody who asks this machine for it', async (path) => {
  const answer = await ask(url, path)
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toMatch(/^(text\/(html|css|javascript); charset=utf-8|image\/svg\+xml)$/)
  isShut(answer)
  expect(answer.body).not.toContain(page.token)
})

test('the page has no script and no style inside', async () => {
  const { body } = await ask(url, '/')
  expect(body).not.toMatch(/<script(?![^>]*src=")|<style|\bstyle=|\bon\w+=|https?:/)
})

test('the address has the token where browsers do not send it', () => {
  const { pathname, search, hash, hostname } = new URL(url)
  expect({ pathname, search, hash, hostname }).toEqual({
    pathname: '/',
    search: '',
    hash: `#token=${page.token}`,
    hostname: '127.0.0.1',
  })
  expect(page.token).toMatch(/^[\w-]{43}$/)
  expect(dashboard({ map }).token).not.toBe(page.token)
})

describe.each([...FILES, '/events', '/health?map=map'])('%s is refused', (path) => {
  const asker = (): { authorization: string } => bearer(page.token)
  test.each([
    ['a name that was made to lead here', 'evil.example'],
    ['one with a port', 'evil.example:80'],
    ['one that begins like ours', 'localhost.evil.example'],
    ['one that ends like ours', 'evil-localhost'],
    ['an address that is not of this machine alone', '0.0.0.0'],
    ['an address of a network', '192.168.0.1'],
  ])('for a foreign host: %s', async (_, host) => {
    const answer = await ask(url, path, { headers: { ...asker(), host } })
    expect(answer.status).toBe(403)
    isShut(answer)
  })

  test.each([
    'https://evil.example',
    'null',
    'http://127.0.0.1:1',
    'http://localhost',
    'http://127.0.0.1.evil.example',
  ])('for a page of the origin %s', async (origin) => {
    expect((await ask(url, path, { headers: { ...asker(), origin } })).status).toBe(403)
  })

  test('for what another site loads', async () => {
    const headers = { ...asker(), 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }
    expect((await ask(url, path, { headers })).status).toBe(403)
  })

  test.each(['POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'])('for %s', async (method) => {
    const answer = await ask(url, path, { method, headers: asker() })
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('GET')
    isShut(answer)
  })
})

test('a request that names no host is refused', async () => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET / HTTP/1.0\r\n\r\n')
  const [head] = (await once(socket, 'data')) as [Buffer]
  expect(head.toString()).toMatch(/^HTTP\/1.1 403/)
  socket.destroy()
})

test.each([
  '/../package.json',
  '/../../../../etc/passwd',
  '/..%2f..%2fetc%2fpasswd',
  '/%2e%2e/package.json',
  '/./page.js',
  '//page.js',
  '/page/page.js',
  '/page.js/',
  '/uPlot.LICENSE',
  '/index.html',
  '/constructor',
  '/__proto__',
  '/\\..\\package.json',
  '/page.js%00',
])('%s leads nowhere', async (path) => {
  const answer = await ask(url, path, { headers: bearer(page.token) })
  expect(answer.status).toBe(404)
  expect(answer.body).not.toMatch(/root:|"name"/)
})

test('names of this machine are as good as its address', async () => {
  const { port } = new URL(url)
  for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, `127.0.0.1`]) {
    expect((await ask(url, '/', { headers: { host } })).status).toBe(200)
    expect((await ask(url, '/', { headers: { host, origin: `http://${host}` } })).status).toBe(200)
  }
  // Somebody follows a link in a mail or a log.
  expect(
    (await ask(url, '/', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } })).status,
  ).toBe(200)
})

describe('figures', () => {
  test('are for who knows the token', async () => {
    expect(await askForFigures(bearer(page.token))).toBe(200)
  })

  test.each<[string, (token: string) => Readonly<Record<string, string>>]>([
    ['no token', () => ({})],
    ['an empty one', () => ({ authorization: 'Bearer ' })],
    ['another one', () => bearer('x'.repeat(43))],
    ['its beginning', (token) => bearer(token.slice(0, 42))],
    ['more than it', (token) => bearer(`${token}x`)],
    ['it in another case', (token) => bearer(swapCase(token))],
    ['another way to tell it', (token) => ({ authorization: `Basic ${token}` })],
    ['a cookie, which any page would send', (token) => ({ cookie: `token=${token}` })],
  ])('are not for who gives %s', async (_, headers) => {
    expect(await askForFigures(headers(page.token))).toBe(401)
    expect((await ask(url, '/health?map=map', { headers: headers(page.token) })).status).toBe(401)
  })

  test('are not for who gives the token in the address', async () => {
    expect((await ask(url, `/events?token=${page.token}`)).status).toBe(401)
  })
})

describe('health', () => {
  test('is judged when asked for', async () => {
    const { status, body, headers } = await ask(url, '/health?map=map', { headers: bearer(page.token) })
    expect(status).toBe(200)
    expect(headers['content-type']).toMatch('application/json')
    const { verdicts, ok, time } = JSON.parse(body) as { verdicts: { name: string }[]; ok: boolean; time: number }
    const names = map.health().verdicts.map(({ name }) => name)
    expect(verdicts.map(({ name }) => name)).toEqual(names)
    expect({ ok, time }).toEqual({ ok: true, time: expect.any(Number) })
  })

  test('is judged once for all who ask meanwhile', async () => {
    let calls = 0
    const counted = {
      stats: () => map.stats(),
      healthAsync: (options?: object) => (calls++, map.healthAsync(options)),
    }
    await using other = dashboard({ counted })
    const at = await other.listen()
    const answers = Array.from({ length: 8 }, () => ask(at, '/health?map=counted', { headers: bearer(other.token) }))
    const all = await Promise.all(answers)
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200))
    expect(calls).toBeLessThan(8)
  })

  test.each(['/health', '/health?map=other', '/health?map=__proto__', '/health?map=map&map=other&x'])(
    'of %s',
    async (path) => {
      const { status } = await ask(url, path, { headers: bearer(page.token) })
      expect(status).toBe(path.includes('map=map') ? 200 : 404)
    },
  )

  test('of a closed map is an answer, too', async () => {
    map.close()
    const { status, body } = await ask(url, '/health?map=map', { headers: bearer(page.token) })
    expect({ status, body }).toEqual({ status: 500, body: expect.stringMatching(/map was closed/) })
  })
})

describe('in a server of the program', () => {
  test('of node:http the page is below its path, and the rest is not touched', async () => {
    await using mine = dashboard({ map }, { path: '/admin/maps', token: 'a-token-of-the-service' })
    const at = await serve((request, response) => {
      if (!mine.handler(request, response)) response.writeHead(200).end('mine')
    })
    for (const path of ['/', '/admin', '/admin/mapsx', '/events', '/page.js'])
      expect((await ask(at, path)).body).toBe('mine')
    expect((await ask(at, '/admin/maps')).headers.location).toBe('./maps/')
    expect((await ask(at, '/admin/maps/')).status).toBe(200)
    expect((await ask(at, '/admin/maps/page.js')).status).toBe(200)
    expect((await ask(at, '/admin/maps/health?map=map')).status).toBe(401)
    const headers = bearer('a-token-of-the-service')
    expect((await ask(at, '/admin/maps/health?map=map', { headers })).status).toBe(200)
    expect((await ask(at, '/admin/maps/', { headers: { host: 'evil.example' } })).status).toBe(403)
  })

  test('of express the page is where it is mounted', async () => {
    const app = express()
    app.use('/maps', page.handler)
    app.get('/', (_, response) => void response.send('mine'))
    const at = await serve(app)
    expect((await ask(at, '/')).body).toBe('mine')
    expect((await ask(at, '/maps')).headers.location).toBe('./maps/')
    expect((await ask(at, '/maps?a=b')).headers.location).toBe('./maps/')
    expect((await ask(at, '/maps/')).body).toMatch('<title>mapsafe')
    expect((await ask(at, '/maps/style.css')).headers['content-type']).toMatch('text/css')
    expect((await ask(at, '/maps/nothing')).status).toBe(404)
    for await (const { maps } of framesOf(at, '/maps/events', page.token)) {
      expect(maps.map.metrics.mapsafe_entries).toBe(0)
      break
    }
  })

  test('express asks the next handler for other paths', async () => {
    await using mine = dashboard({ map }, { path: '/maps' })
    const app = express()
    app.use(mine.handler)
    app.get('/other', (_, response) => void response.send('mine'))
    const at = await serve(app)
    expect((await ask(at, '/other')).body).toBe('mine')
    expect((await ask(at, '/maps/')).status).toBe(200)
    expect((await ask(at, '//evil.example')).headers.location).toBeUndefined()
  })

  test('names of its hosts are let in as they are told, and no others', async () => {
    await using mine = dashboard({ map }, { hosts: ['Admin.Example.com', '[::2]'] })
    const at = await serve((request, response) => void mine.handler(request, response))
    for (const host of ['admin.example.com', 'ADMIN.example.com:8443', '[::2]:80', 'localhost']) {
      expect((await ask(at, '/', { headers: { host } })).status).toBe(200)
    }
    for (const host of ['example.com', 'x.admin.example.com', '[::3]']) {
      expect((await ask(at, '/', { headers: { host } })).status).toBe(403)
    }
    const headers = { host: 'admin.example.com', origin: 'https://admin.example.com' }
    expect((await ask(at, '/', { headers })).status).toBe(200)
  })
})

describe('the page is closed', () => {
  test('with its connections, and answers no more', async () => {
    const frames = framesOf(url, '/events', page.token)
    await frames.next()
    await page.close()
    await page.close()
    await expect(frames.next().then(() => frames.next())).rejects.toThrow()
    await expect(ask(url, '/')).rejects.toThrow('ECONNREFUSED')
    await expect(page.listen()).rejects.toMatchObject({ code: 'ERR_MAPSAFE_CLOSED' })
  })

  test('in another server, which goes on', async () => {
    const at = await serve((request, response) => void page.handler(request, response))
    await page.close()
    expect((await ask(at, '/')).status).toBe(503)
  })

  // A program from dist, as users have it.
  test.each([
    ['', 'ended'],
    ['keepAlive: true', 'listened, then ended'],
  ])('and keeps no process alive unless asked: { %s }', (options, expected) => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { ConcurrentMap } from 'mapsafe'
         import { dashboard } from 'mapsafe/dashboard'
         const page = dashboard({ map: new ConcurrentMap() }, { ${options} })
         const url = new URL(await page.listen())
         const { body } = await fetch(url.origin + '/events', { headers: { authorization: 'Bearer ' + page.token } })
         const reader = body.getReader()
         await reader.read()
         if (${options === '' ? 'false' : 'true'}) setTimeout(() => { process.stdout.write('listened, then '); page.close() }, 300).unref()
         else await reader.cancel()
         process.on('exit', () => process.stdout.write('ended'))`,
      ],
      { encoding: 'utf8' },
    )
    expect({ stdout, stderr }).toEqual({ stdout: expected, stderr: '' })
  })
})

describe('wrong arguments', () => {
  const of = dashboard as (maps: unknown, options?: unknown) => Dashboard
  test.each<[string, unknown, unknown?]>([
    ['no maps', undefined],
    ['one map in place of an object', new ConcurrentMap()],
    ['what is no map', { a: 1 }],
    ['what has figures alone', { a: { stats: () => ({}) } }],
    ['an unknown option', {}, { password: 'x' }],
    ['options that are none', {}, 7],
    ['a short token', {}, { token: 'short' }],
    ['a token that needs escapes', {}, { token: 'a token with blanks in it' }],
    ['no token at all', {}, { token: false }],
    ['keys that are no flag', {}, { keys: 'yes' }],
    ['an interval too short', {}, { interval: 10 }],
    ['an interval that is no number', {}, { interval: '1000' }],
    ['a path without a slash', {}, { path: 'maps' }],
    ['a path with a query', {}, { path: '/maps?x' }],
    ['a host that is no array', {}, { hosts: 'example.com' }],
    ['a host with a port', {}, { hosts: ['example.com:80'] }],
    ['a host for all', {}, { hosts: ['*'] }],
  ])('%s', (_, maps, options) => {
    expect(() => of(maps, options)).toThrow(expect.objectContaining({ code }))
  })

  test('a token is not in the message that refuses it', () => {
    expect(() => of({}, { token: 'my secret token, with blanks' })).toThrow(/^(?!.*secret).*a string of 28 characters/)
  })

  test('ports', async () => {
    await using other = dashboard({ map })
    await expect(other.listen(-1)).rejects.toMatchObject({ code })
    await expect(other.listen(70_000)).rejects.toMatchObject({ code })
    await expect(other.listen(Number(new URL(url).port))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/EADDRINUSE/),
    })
    // Nothing is lost: another port will do.
    expect(await other.listen()).toMatch(/^http:/)
    await expect(other.listen()).rejects.toMatchObject({ code })
  })

  test('caches are as good as maps', async () => {
    using cache = new ConcurrentCache<number, { readonly a: number }>()
    await using both = dashboard({ map, cache })
    expect(both.token).not.toBe('')
  })
})
