import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { finished } from 'node:stream/promises'
import { Agent, interceptors, request } from 'undici'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ResponseStore, type ResponseHead } from '../../src/adapters/undici.js'
import { ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

export interface Question {
  readonly url: string
  readonly method?: string
  readonly headers?: Record<string, string>
}

export interface Answer {
  readonly statusCode: number
  readonly isCached: boolean
  readonly text: string
}

const { path, execArgv } = processCode(new URL('undici.program.ts', import.meta.url))

/** A server that counts how often each address was asked for. */
class Origin {
  readonly asked = new Map<string, number>()
  private readonly server: Server

  constructor(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
    this.server = createServer((asked, response) => {
      const url = `${asked.method} ${asked.url}`
      const count = (this.asked.get(url) ?? 0) + 1
      this.asked.set(url, count)
      answer(asked, response, count)
    })
  }

  async listen(): Promise<string> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening')
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

const head = (over: Partial<ResponseHead> = {}): ResponseHead => ({
  statusCode: 200,
  statusMessage: 'OK',
  headers: { 'content-type': 'text/plain' },
  cacheControlDirectives: { 'max-age': 60 },
  cachedAt: Date.now(),
  staleAt: Date.now() + 60_000,
  deleteAt: Date.now() + 120_000,
  ...over,
})
const page = { origin: 'http://a', method: 'GET', path: '/' }

async function put(
  store: ResponseStore,
  key: typeof page & { headers?: Record<string, string> },
  body: string | Buffer,
  over?: Partial<ResponseHead>,
): Promise<void> {
  const stream = store.createWriteStream(key, head(over))
  stream.end(body)
  await finished(stream).catch(() => undefined)
}

const textOf = (response: { body: Buffer[] } | undefined): string | undefined =>
  response && Buffer.concat(response.body).toString()

describe.each(lineups)('a store of responses ($name)', (lineup) => {
  let cache: ConcurrentCache<string, unknown>
  let a: ResponseStore
  let b: ResponseStore
  beforeEach(() => {
    cache = new ConcurrentCache({ maxBytes: 2 ** 23, engine: lineup.engineOf(0) })
    const other = ConcurrentCache.attach<string, unknown>(cache.handle, { engine: lineup.engineOf(1) })
    a = new ResponseStore(cache)
    b = new ResponseStore(other)
  })

  test('gives what another thread stored, and nothing that another request asks for', async () => {
    const { cachedAt, staleAt, deleteAt } = head()
    await put(a, page, 'body', { cachedAt, staleAt, deleteAt, etag: '"x"' })
    const { body, ...rest } = b.get(page)!
    expect(rest).toEqual(head({ cachedAt, staleAt, deleteAt, etag: '"x"' }))
    expect(Buffer.concat(body).toString()).toBe('body')
    for (const other of [{ origin: 'http://b' }, { method: 'HEAD' }, { path: '/other' }])
      expect(b.get({ ...page, ...other })).toBe(undefined)
    await put(b, page, 'newer')
    expect(textOf(a.get(page))).toBe('newer')
    expect(cache.size).toBe(1)
  })

  test('keeps bodies of any bytes, in parts, and none at all', async () => {
    const bytes = Buffer.from([0, 255, 128, 10, 0])
    const stream = a.createWriteStream(page, head())
    stream.write(bytes)
    stream.write('text')
    stream.end()
    await finished(stream)
    expect(Buffer.concat(b.get(page)!.body)).toEqual(Buffer.concat([bytes, Buffer.from('text')]))
    await put(a, { ...page, path: '/none' }, '')
    expect(textOf(b.get({ ...page, path: '/none' }))).toBe('')
  })

  test('tells responses apart by the fields that they vary with', async () => {
    const en = { ...page, headers: { 'accept-language': 'en' } }
    const fr = { ...page, headers: { 'accept-language': 'fr' } }
    await put(a, en, 'hello', { vary: { 'accept-language': 'en' } })
    await put(b, fr, 'bonjour', { vary: { 'accept-language': 'fr' } })
    await put(b, page, 'none', { vary: { 'accept-language': null } })
    expect([en, fr, page].map((key) => textOf(a.get(key)))).toEqual(['hello', 'bonjour', 'none'])
    await put(a, en, 'hi', { vary: { 'accept-language': 'en' } })
    expect([en, fr, page].map((key) => textOf(b.get(key)))).toEqual(['hi', 'bonjour', 'none'])
    a.delete(page)
    expect([en, fr, page].map((key) => b.get(key))).toEqual([undefined, undefined, undefined])
  })

  test('gives nothing after its time, and forgets it', async () => {
    await put(a, page, 'late', { deleteAt: Date.now() - 1 })
    expect(cache.size).toBe(0)
    await put(a, page, 'body', { deleteAt: Date.now() + 60_000 })
    expect(cache.getEntry(`http:${page.origin}${page.path}`)!.expiresAt).toBeLessThanOrEqual(Date.now() + 60_000)
  })

  test('does not store a response that was on its way when its address was dropped', async () => {
    const first = a.createWriteStream(page, head())
    first.write('old')
    b.delete(page)
    first.end()
    await finished(first)
    expect(a.get(page)).toBe(undefined)
    await put(a, page, 'new')
    const second = b.createWriteStream(page, head())
    a.delete(page)
    await put(a, page, 'newer')
    second.end('new')
    await finished(second)
    expect(textOf(b.get(page))).toBe('newer')
  })

  test('stores no body that is too long, and keeps what was there', async () => {
    await put(a, page, 'short')
    const store = new ResponseStore(cache, { maxEntrySize: 10 })
    await put(store, page, 'x'.repeat(11))
    expect(textOf(a.get(page))).toBe('short')
    await put(store, page, 'x'.repeat(10))
    expect(textOf(a.get(page))).toBe('x'.repeat(10))
    const huge = a.createWriteStream(page, head())
    huge.end(Buffer.alloc(4_000_000))
    await expect(finished(huge)).rejects.toMatchObject({ code: 'ERR_MAPSAFE_ENTRY_TOO_LARGE' })
  })

  test('what it gives may be changed', async () => {
    await put(a, page, 'body')
    const got = b.get(page)!
    got.headers.age = '1'
    got.body[0][0] = 0
    expect(b.get(page)!.headers).toEqual(head().headers)
    expect(textOf(b.get(page))).toBe('body')
  })

  test('is the cache of an agent of undici', async () => {
    let version = 'one'
    const origin = new Origin((asked, response, count) => {
      if (asked.method === 'PUT') return void response.end((version = 'two'))
      if (asked.headers['if-none-match'] === '"1"') return void response.writeHead(304).end()
      response.writeHead(200, { 'cache-control': asked.url === '/stale' ? 'max-age=0' : 'max-age=100', etag: '"1"' })
      response.end(`${version} ${count}`)
    })
    const url = await origin.listen()
    const [one, two] = [a, b].map((store) => new Agent().compose(interceptors.cache({ store })))
    const ask = async (dispatcher: typeof one, route: string, method: 'GET' | 'PUT' = 'GET'): Promise<string> =>
      (await request(url + route, { dispatcher, method })).body.text()
    try {
      expect(await ask(one, '/page')).toBe('one 1')
      expect(await ask(two, '/page')).toBe('one 1')
      expect(origin.asked.get('GET /page')).toBe(1)
      await ask(two, '/page', 'PUT')
      expect(await ask(one, '/page')).toBe('two 2')
      expect(await ask(two, '/page')).toBe('two 2')
      expect(await ask(one, '/stale')).toBe('two 1')
      expect(await ask(two, '/stale')).toBe('two 1')
    } finally {
      origin.close()
      await Promise.all([one.close(), two.close()])
    }
  })
})

describe.each(lineups)('undici in two processes ($name)', (lineup) => {
  let scratch: Scratch
  let children: ChildProcess[]
  beforeEach(async () => {
    scratch = new Scratch()
    const file = scratch.file()
    children = [0, 1].map((index) => fork(path, [file, lineup.engineOf(index)], { execArgv }))
    await Promise.all(children.map((child) => once(child, 'message')))
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    scratch[Symbol.dispose]()
  })

  async function ask(child: ChildProcess, question: Question): Promise<Answer> {
    const answered = once(child, 'message')
    child.send(question)
    return ((await answered) as [Answer])[0]
  }

  test('one asks the other server, both have the answer, and a write drops it for both', async () => {
    const origin = new Origin((asked, response, count) => {
      response.writeHead(200, { 'cache-control': 'max-age=100' })
      response.end(`${asked.method} ${count}`)
    })
    const url = `${await origin.listen()}/page`
    const [one, two] = children
    try {
      expect(await ask(one, { url })).toMatchObject({ isCached: false, text: 'GET 1' })
      expect(await ask(two, { url })).toMatchObject({ isCached: true, text: 'GET 1' })
      await ask(two, { url, method: 'POST' })
      expect(await ask(one, { url })).toMatchObject({ isCached: false, text: 'GET 2' })
      expect(await ask(two, { url })).toMatchObject({ isCached: true, text: 'GET 2' })
    } finally {
      origin.close()
    }
  })

  test('one that is killed in the middle of a response leaves nothing of it', async () => {
    let begun: () => void = () => undefined
    const halfway = new Promise<void>((resolve) => (begun = resolve))
    const origin = new Origin((_, response, count) => {
      response.writeHead(200, { 'cache-control': 'max-age=100' })
      if (count > 1) return void response.end('whole')
      response.write('ha')
      begun()
    })
    const url = `${await origin.listen()}/page`
    try {
      children[0].send({ url } satisfies Question)
      await halfway
      children[0].kill('SIGKILL')
      await once(children[0], 'exit')
      expect(await ask(children[1], { url })).toMatchObject({ isCached: false, text: 'whole' })
      expect(await ask(children[1], { url })).toMatchObject({ isCached: true, text: 'whole' })
    } finally {
      origin.close()
    }
  })
})

test.each([
  [{}, {}],
  [new Map(), {}],
  [new ConcurrentCache(), { prefix: 1 }],
  [new ConcurrentCache(), { maxEntrySize: -1 }],
  [new ConcurrentCache(), { maxSize: 1 }],
])('refuses what is no cache or no option', (cache, options) => {
  expect(() => new ResponseStore(cache as ConcurrentCache<string, unknown>, options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }),
  )
})

test('refuses what is no request', () => {
  const store = new ResponseStore(new ConcurrentCache())
  for (const key of [null, undefined, 'http://a/', {}, { origin: 'http://a' }]) {
    const refusal = expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error
    expect(() => store.get(key as never)).toThrow(refusal)
    expect(() => store.delete(key as never)).toThrow(refusal)
    expect(() => store.createWriteStream(key as never, head())).toThrow(refusal)
  }
})
