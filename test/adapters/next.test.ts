import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cacheComponentsHandler, cacheHandler, type CacheComponentsHandler } from '../../src/adapters/next.js'
import { advanceClock, ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { until } from '../support/patience.js'
import { lineups, scaled, type Lineup } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'
import { entryOf, now, serve, textOf } from './next-driver.js'
import type { Order } from './next.program.js'

const { path, execArgv } = processCode(new URL('next.program.ts', import.meta.url))
const OPTIONS = { code: 'ERR_MAPSAFE_OPTIONS' }

/** What two threads have open. */
function open(lineup: Lineup): { cache: ConcurrentCache<string, unknown>; tags: ConcurrentMap<string, unknown> }[] {
  const cache = new ConcurrentCache<string, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
  const tags = new ConcurrentMap<string, unknown>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
  const engine = lineup.engineOf(1)
  return [
    { cache, tags },
    { cache: ConcurrentCache.attach(cache.handle, { engine }), tags: ConcurrentMap.attach(tags.handle, { engine }) },
  ]
}

describe.each(lineups)('a handler of cacheHandlers ($name)', (lineup) => {
  let cache: ConcurrentCache<string, unknown>
  let a: CacheComponentsHandler
  let b: CacheComponentsHandler
  beforeEach(() => {
    const pairs = open(lineup)
    cache = pairs[0].cache
    ;[a, b] = pairs.map(cacheComponentsHandler)
  })
  const put = (handler: CacheComponentsHandler, key: string, ...entry: Parameters<typeof entryOf>): Promise<void> =>
    handler.set(key, Promise.resolve(entryOf(...entry)))
  const text = async (
    handler: CacheComponentsHandler,
    key: string,
    softTags: string[] = [],
  ): Promise<string | undefined> => textOf(await handler.get(key, softTags))

  test('gives what another thread stored, and a stream of its own each time', async () => {
    expect(await b.get('key', [])).toBe(undefined)
    const timestamp = now()
    await put(a, 'key', 'body', { timestamp, tags: ['posts'], stale: 1, expire: 100, revalidate: 10 })
    const entry = (await b.get('key', []))!
    expect(entry).toMatchObject({ tags: ['posts'], stale: 1, expire: 100, revalidate: 10 })
    // Never younger than it is; older by no more than this thread may have waited.
    expect(entry.timestamp).toBeLessThan(timestamp + 0.1)
    expect(entry.timestamp).toBeGreaterThan(timestamp - (now() - timestamp) - 0.1)
    entry.tags.push('mine')
    expect([await textOf(entry), await text(b, 'key'), await text(a, 'key')]).toEqual(['body', 'body', 'body'])
    expect((await b.get('key', []))!.tags).toEqual(['posts'])
    await put(a, 'empty', '')
    expect(await text(b, 'empty')).toBe('')
    await b.refreshTags()
    expect(await b.getExpiration(['posts'])).toBe(Infinity)
  })

  test('get waits for an entry that is being stored', async () => {
    let finish!: () => void
    const value = new ReadableStream<Uint8Array>({
      start(controller) {
        finish = () => {
          controller.enqueue(new TextEncoder().encode('late'))
          controller.close()
        }
      },
    })
    const storing = a.set('key', Promise.resolve(entryOf('', { value })))
    const got = text(a, 'key')
    finish()
    await storing
    expect(await got).toBe('late')
  })

  test('an entry whose stream fails in the middle is not stored, and one that never comes holds up nobody', async () => {
    await put(a, 'key', 'old')
    let chunks = 0
    const value = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (chunks++ < 2) controller.enqueue(new Uint8Array(10))
        else controller.error(new Error('of the page'))
      },
    })
    await a.set('key', Promise.resolve(entryOf('', { value })))
    expect(await text(b, 'key')).toBe('old')
    const failing = a.set('key', Promise.reject(new Error('of the page')))
    const got = text(a, 'key')
    await expect(failing).rejects.toThrow('of the page')
    expect(await got).toBe('old')
  })

  test('a revalidated tag takes its entries away for all at once, also as a soft tag', async () => {
    await put(a, 'post', 'post', { tags: ['posts', 'post:1'] })
    await put(a, 'other', 'other', { tags: ['post:2'] })
    await put(a, 'none', 'none')
    await b.updateTags(['post:1', 'nothing'])
    expect(await Promise.all(['post', 'other', 'none'].map((key) => text(a, key)))).toEqual([
      undefined,
      'other',
      'none',
    ])
    await put(b, 'post', 'new', { tags: ['posts', 'post:1'] })
    expect(await text(a, 'post')).toBe('new')
    await a.updateTags(['_N_T_/page'])
    expect(await text(b, 'none')).toBe('none')
    expect(await text(b, 'none', ['_N_T_/page'])).toBe(undefined)
    expect(await text(b, 'none', ['_N_T_/another'])).toBe('none')
    await put(a, 'none', 'newer')
    expect(await text(b, 'none', ['_N_T_/page'])).toBe('newer')
  })

  test('an entry that was begun before a revalidation and is stored after it is not served', async () => {
    const answer = serve(a, {
      key: 'page',
      tags: ['posts'],
      render: async () => {
        await b.updateTags(['posts'])
        return 'old'
      },
    })
    expect(await answer).toBe('old')
    expect(await serve(b, { key: 'page', tags: ['posts'], render: () => 'new' })).toBe('new')
    expect(await serve(a, { key: 'page', tags: ['posts'], render: () => 'newer' })).toBe('new')
  })

  test('with a time to expire, an entry is stale at once, and goes at its time', async () => {
    await put(a, 'key', 'old', { tags: ['slow', 'soon'] })
    await b.updateTags(['slow'], { expire: 1000 })
    expect((await a.get('key', []))!.revalidate).toBe(-1)
    await b.updateTags(['slow'], {})
    expect((await a.get('key', []))!.revalidate).toBe(-1)
    await b.updateTags(['soon'], { expire: 0.05 })
    let isThere = true
    const look = setInterval(() => void a.get('key', []).then((entry) => (isThere = entry !== undefined)), 5)
    await until('the entry goes', () => !isThere)
    clearInterval(look)
    await b.updateTags(['soon'], { expire: 1000 })
    expect(await a.get('key', [])).toBe(undefined)
    await put(a, 'key', 'new', { tags: ['slow', 'soon'], revalidate: 7 })
    expect((await b.get('key', []))!.revalidate).toBe(7)
  })

  test('an earlier end that was said stays, whatever is said later', async () => {
    await put(a, 'key', 'old', { tags: ['posts'] })
    await a.updateTags(['posts'], { expire: 0 })
    await a.updateTags(['posts'], { expire: 1000 })
    expect(await b.get('key', [])).toBe(undefined)
    await a.updateTags(['posts'])
    await a.updateTags(['posts'], { expire: 1000 })
    expect(await b.get('key', [])).toBe(undefined)
  })

  test('an entry leaves the cache at its time; one without time is not stored', async () => {
    await put(a, 'key', 'text', { expire: 100 })
    await put(a, 'dynamic', 'text', { expire: 0 })
    await put(a, 'late', 'text', { expire: 100, timestamp: now() - 200_000 })
    expect([...cache.keys()]).toEqual(['component:key'])
    advanceClock(cache, 101_000)
    expect(await b.get('key', [])).toBe(undefined)
  })

  test('one that is too large is not stored, and takes the old one away', async () => {
    await put(a, 'key', 'old')
    await put(a, 'key', 'x'.repeat(2 ** 19))
    expect(await b.get('key', [])).toBe(undefined)
  })

  test('more tags than there is room for: nothing older is served, and newer entries are', async () => {
    await put(a, 'first', 'old', { tags: ['tag 0'] })
    await put(a, 'untouched', 'old', { tags: ['another'] })
    const names = Array.from({ length: 20_000 }, (_, i) => `tag ${i}`)
    for (let i = 0; i < names.length; i += 1000) await (i % 2000 === 0 ? a : b).updateTags(names.slice(i, i + 1000))
    expect([await text(b, 'first'), await text(b, 'untouched')]).toEqual([undefined, undefined])
    await put(a, 'first', 'new', { tags: ['tag 0', 'tag 19999'] })
    expect(await text(b, 'first')).toBe('new')
    await b.updateTags(['tag 19999'])
    expect(await text(a, 'first')).toBe(undefined)
  })
})

describe.each(lineups)('a class for cacheHandler ($name)', (lineup) => {
  let cache: ConcurrentCache<string, unknown>
  let A: ReturnType<typeof cacheHandler>
  let B: ReturnType<typeof cacheHandler>
  beforeEach(() => {
    const pairs = open(lineup)
    cache = pairs[0].cache
    ;[A, B] = pairs.map(cacheHandler)
  })
  const app = { kind: 'APP_PAGE', isFallback: false }
  const page = (html: string, tags = 'posts,_N_T_/page'): object => ({
    kind: 'APP_PAGE',
    html,
    rscData: Buffer.from([0, 255]),
    headers: { 'x-next-cache-tags': tags, vary: ['a', 'b'] },
    postponed: undefined,
    status: 200,
    segmentData: new Map([['/_tree', Buffer.from('tree')]]),
  })
  const fetched = (body: string): object => ({ kind: 'FETCH', data: { headers: {}, body, url: 'u' }, revalidate: 60 })

  test('gives a page as it was, with Buffers and the Map of segments, and its cacheControl', async () => {
    const before = Date.now()
    await new A().set('/page', page('<p>'), { cacheControl: { revalidate: 60, expire: 600 } })
    const got = (await new B().get('/page', app))!
    expect(got.value).toEqual(page('<p>'))
    expect(got.cacheControl).toEqual({ revalidate: 60, expire: 600 })
    expect(got.lastModified).toBeGreaterThanOrEqual(before)
    const value = got.value as { rscData: Buffer; segmentData: Map<string, Buffer>; headers: Record<string, unknown> }
    expect(Buffer.isBuffer(value.rscData) && Buffer.isBuffer(value.segmentData.get('/_tree'))).toBe(true)
    delete value.headers.vary
    value.segmentData.clear()
    value.rscData[0] = 7
    expect((await new B().get('/page', app))!.value).toEqual(page('<p>'))
  })

  test('keeps routes, redirects, pages with data, and that a page is not there', async () => {
    const values = [
      { kind: 'APP_ROUTE', body: Buffer.from('{}'), status: 200, headers: { 'content-type': 'application/json' } },
      { kind: 'REDIRECT', props: { to: '/' } },
      { kind: 'PAGES', html: '<p>', pageData: { props: [1, { deep: null }] }, headers: undefined, status: undefined },
      null,
    ]
    for (const value of values) {
      await new A().set('/key', value, {})
      expect((await new B().get('/key', { kind: 'APP_ROUTE' }))!.value).toEqual(value)
    }
    expect(await new B().get('/none', app)).toBe(null)
  })

  test('a revalidated tag of a page takes it away for all at once', async () => {
    await new A().set('/page', page('old'), {})
    await new A().set('/other', page('other', ''), {})
    await new B().revalidateTag('posts')
    expect(await new A().get('/page', app)).toBe(null)
    expect(await new A().get('/other', app)).not.toBe(null)
    await new A().set('/page', page('new'), {})
    expect(((await new B().get('/page', app))!.value as { html: string }).html).toBe('new')
    await new B().revalidateTag(['nothing', '_N_T_/page'])
    expect(await new A().get('/page', app)).toBe(null)
  })

  test('a page that was asked for before a revalidation and stored after it is not served', async () => {
    const render = new A()
    expect(await render.get('/page', app)).toBe(null)
    await new B().revalidateTag('posts')
    await render.set('/page', page('old'), {})
    expect(await new B().get('/page', app)).toBe(null)
    await render.get('/page', app)
    await render.set('/page', page('new'), {})
    expect(await new B().get('/page', app)).not.toBe(null)
  })

  test('a stale page is made anew: behind the back of its visitor if it has a time, else first', async () => {
    await new A().set('/timed', page('old'), { cacheControl: { revalidate: 60, expire: 600 } })
    await new A().set('/fixed', page('old'), { cacheControl: { revalidate: false } })
    await new B().revalidateTag('posts', { expire: 300 })
    const timed = (await new A().get('/timed', app))!
    expect(timed.lastModified + 60_000).toBeLessThan(now())
    expect(timed.lastModified + 600_000).toBeGreaterThan(now())
    expect((await new A().get('/fixed', app))!.lastModified).toBe(-1)
  })

  test('a fetched response goes by its own tags, those of the call and those of the page', async () => {
    const call = { kind: 'FETCH', tags: ['posts'], softTags: ['_N_T_/page'] }
    await new A().set('key', fetched('one'), { fetchCache: true, tags: ['posts'] })
    await new A().set('key', page('of that name'), {})
    expect((await new B().get('key', call))!.value).toEqual(fetched('one'))
    expect(await new B({ revalidatedTags: ['_N_T_/page'] }).get('key', call)).toBe(null)
    await new A().revalidateTag('_N_T_/page')
    expect(await new B().get('key', call)).toBe(null)
    expect(await new B().get('key', { kind: 'FETCH', tags: ['more'] })).not.toBe(null)
    await new A().revalidateTag('posts')
    expect(await new B().get('key', { kind: 'FETCH' })).toBe(null)
  })

  test('a page with a time to expire leaves the cache then', async () => {
    await new A().set('/page', page('old'), { cacheControl: { revalidate: 1, expire: 100 } })
    advanceClock(cache, 101_000)
    expect(await new B().get('/page', app)).toBe(null)
    new B().resetRequestCache()
  })

  test('handlers with prefixes of their own share a cache', async () => {
    const [{ tags }] = open(lineup)
    const [One, Two] = ['one:', 'two:'].map((prefix) => cacheHandler({ cache, tags, prefix }))
    await new One().set('/page', page('one'), {})
    expect(await new Two().get('/page', app)).toBe(null)
  })
})

describe.each(lineups)('two processes on one file ($name)', (lineup) => {
  let scratch: Scratch
  let processes: ChildProcess[]
  beforeEach(async () => {
    scratch = new Scratch()
    const file = scratch.file()
    processes = [0, 1].map((i) => fork(path, [file, lineup.engineOf(i)], { execArgv }))
    await Promise.all(processes.map((each) => once(each, 'message')))
  })
  afterEach(() => {
    for (const each of processes) each.kill('SIGKILL')
    scratch[Symbol.dispose]()
  })
  async function ask(child: ChildProcess, order: Order): Promise<string> {
    const answer = once(child, 'message')
    child.send(order)
    return (await answer)[0] as string
  }

  test('after a revalidation in one, the next request to the other is fresh', async () => {
    const rounds = scaled(100)
    for (let round = 0; round < rounds; round++) {
      const [a, b] = round % 2 === 0 ? processes : processes.toReversed()
      expect(await ask(a, { do: 'serve', data: `${round}` })).toBe(`${round}`)
      expect(await ask(b, { do: 'serve', data: 'not asked for' })).toBe(`${round}`)
      await ask(a, { do: 'revalidate' })
      expect(await ask(b, { do: 'serve', data: `${round} anew` })).toBe(`${round} anew`)
      expect(await ask(a, { do: 'serve', data: 'not asked for' })).toBe(`${round} anew`)
      await ask(b, { do: 'revalidate' })
    }
  })

  test('one that is killed while it revalidates leaves a cache that the other goes on with', async () => {
    const [a, b] = processes
    await ask(b, { do: 'serve', data: 'old' })
    await ask(a, { do: 'revalidate for ever' })
    a.kill('SIGKILL')
    await once(a, 'exit')
    expect(await ask(b, { do: 'serve', data: 'new' })).toBe('new')
    expect(await ask(b, { do: 'serve', data: 'not asked for' })).toBe('new')
    await ask(b, { do: 'revalidate' })
    expect(await ask(b, { do: 'serve', data: 'newer' })).toBe('newer')
  })
})

test('refuses wrong options', () => {
  using cache = new ConcurrentCache<string, unknown>()
  using tags = new ConcurrentMap<string, unknown>()
  for (const make of [cacheHandler, cacheComponentsHandler]) {
    for (const options of [
      { cache },
      { tags },
      { cache, tags: cache },
      { cache: tags, tags },
      { cache, tags, prefix: 1 },
      { cache, tags, maxBytes: 2 ** 20 },
      { nonsense: 1 },
    ]) {
      expect(() => make(options as never)).toThrow(expect.objectContaining(OPTIONS))
    }
  }
})
