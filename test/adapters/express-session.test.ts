import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { expectTypeOf } from 'expect-type'
import session from 'express-session'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sessionStore, type SessionCallback } from '../../src/adapters/express-session.js'
import { advanceClock, ConcurrentCache } from '../../src/index.js'
import { lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { processCode } from '../support/worker-code.js'

const HOUR = 3_600_000
const { path, execArgv } = processCode(new URL('express-session.program.ts', import.meta.url))

/** A process that serves. */
class Server {
  readonly child: ChildProcess
  private port = 0

  private constructor(file: string, engine: string) {
    this.child = fork(path, [file, engine], { execArgv })
  }

  static async start(file: string, engine: string): Promise<Server> {
    const server = new Server(file, engine)
    ;[server.port] = (await once(server.child, 'message')) as [number]
    return server
  }

  /** Asks as a browser does that has the cookie. */
  async ask(route: string, cookie = ''): Promise<{ text: string; cookie: string }> {
    const response = await fetch(`http://127.0.0.1:${this.port}${route}`, { headers: { cookie } })
    return { text: await response.text(), cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie }
  }
}

describe.each(lineups)('express in two processes ($name)', (lineup) => {
  let scratch: Scratch
  let a: Server
  let b: Server
  beforeEach(async () => {
    scratch = new Scratch()
    const file = scratch.file()
    a = await Server.start(file, lineup.engineOf(0))
    b = await Server.start(file, lineup.engineOf(1))
  })
  afterEach(() => {
    for (const { child } of [a, b]) child.kill('SIGKILL')
    scratch[Symbol.dispose]()
  })

  test('a session that began in one goes on in the other, and ends for both', async () => {
    const { text, cookie } = await a.ask('/login/ada')
    expect(text).toBe('ada')
    expect((await b.ask('/who', cookie)).text).toBe('ada')
    expect((await a.ask('/count', cookie)).text).toBe('1')
    expect((await b.ask('/count', cookie)).text).toBe('2')
    expect((await b.ask('/who')).text).toBe('nobody')
    expect((await b.ask('/logout', cookie)).text).toBe('out')
    expect((await a.ask('/who', cookie)).text).toBe('nobody')
  })

  test('a request that outlasts the logout does not bring the session back', async () => {
    const { cookie } = await a.ask('/login/ada')
    const begun = once(a.child, 'message')
    const late = a.ask('/slow', cookie)
    await begun
    await b.ask('/logout', cookie)
    a.child.send('go on')
    expect((await late).text).toBe('late')
    for (const server of [a, b]) expect((await server.ask('/who', cookie)).text).toBe('nobody')
  })

  test('sessions outlive the process that made them', async () => {
    const { cookie } = await a.ask('/login/ada')
    a.child.kill('SIGKILL')
    expect((await b.ask('/who', cookie)).text).toBe('ada')
  })
})

/** What a method gives by its callback. */
function given<T>(call: (callback: SessionCallback<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error instanceof Error ? reject(error) : resolve(result)))
  })
}

describe.each(lineups)('the store ($name)', (lineup) => {
  const open = (): ConcurrentCache<string, string> =>
    new ConcurrentCache<string, string>({ engine: lineup.engineOf(0), maxBytes: 2 ** 20 })
  const ending = (milliseconds: number): { cookie: { expires: Date } } => ({
    cookie: { expires: new Date(Date.now() + milliseconds) },
  })

  test('is one of express-session', () => {
    const store = sessionStore(session, open())
    expect(store).toBeInstanceOf(session.Store)
    expectTypeOf(store).toExtend<session.Store>()
  })

  test('gives each reader a session of its own', async () => {
    const store = sessionStore(session, open())
    await given((done) => store.set('id', { ...ending(HOUR), list: [1] } as never, done))
    const read = (): Promise<{ list: number[] }> =>
      given((done) => store.get('id', done as never)) as Promise<{ list: number[] }>
    const one = await read()
    one.list.push(2)
    expect((await read()).list).toEqual([1])
    expect(await given((done) => store.get('none', done as never))).toBe(null)
  })

  test('sessions live as long as their cookies, or a day', async () => {
    const cache = open()
    const store = sessionStore(session, cache)
    const ids = ['hour', 'none', 'past']
    await given((done) => store.set('hour', ending(HOUR) as never, done))
    await given((done) => store.set('none', { cookie: { expires: null } } as never, done))
    await given((done) => store.set('past', ending(-1) as never, done))
    const there = async (): Promise<boolean[]> =>
      Promise.all(ids.map(async (id) => (await given((done) => store.get(id, done as never))) !== null))
    expect(await there()).toEqual([true, true, false])
    advanceClock(cache, HOUR + 1000)
    expect(await there()).toEqual([false, true, false])
    advanceClock(cache, 24 * HOUR)
    expect(await there()).toEqual([false, false, false])
  })

  test('a touch makes a session live on, and leaves it as it is', async () => {
    const cache = open()
    const store = sessionStore(session, cache)
    await given((done) => store.set('id', { ...ending(HOUR), user: 'ada' } as never, done))
    const text = cache.get('session:id')
    await given((done) => store.touch('id', { ...ending(3 * HOUR), user: 'other' } as never, done as never))
    await given((done) => store.touch('none', ending(HOUR) as never, done as never))
    advanceClock(cache, 2 * HOUR)
    expect(cache.get('session:id')).toBe(text)
    expect(cache.size).toBe(1)
    await given((done) => store.touch('id', ending(-1) as never, done as never))
    expect(cache.has('session:id')).toBe(false)
  })

  test('counts, lists and clears its own sessions alone', async () => {
    const cache = open()
    const store = sessionStore(session, cache, { prefix: 'shop:' })
    const other = sessionStore(session, cache)
    for (const id of ['a', 'b']) await given((done) => store.set(id, { ...ending(HOUR), id } as never, done))
    await given((done) => other.set('c', ending(HOUR) as never, done))
    expect(await given((done) => store.length(done as never))).toBe(2)
    const all = await given<{ id: string }[]>((done) => store.all(done as never))
    expect(all?.map(({ id }) => id).sort()).toEqual(['a', 'b'])
    await given((done) => store.clear(done))
    expect([...cache.keys()]).toEqual(['session:c'])
    await given((done) => other.destroy('c', done))
    expect(cache.size).toBe(0)
  })

  test('tells errors by the callback', async () => {
    const cache = open()
    const store = sessionStore(session, cache)
    cache.close()
    const closed = expect.objectContaining({ code: 'ERR_MAPSAFE_CLOSED' }) as Error
    await expect(given((done) => store.get('id', done as never))).rejects.toEqual(closed)
    await expect(given((done) => store.set('id', ending(HOUR) as never, done))).rejects.toEqual(closed)
    await expect(given((done) => store.destroy('id', done))).rejects.toEqual(closed)
  })
})

test('wrong arguments are refused', () => {
  const refused = expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error
  const cache = new ConcurrentCache<string, string>()
  expect(() => sessionStore({} as never, cache)).toThrow(refused)
  expect(() => sessionStore(undefined as never, cache)).toThrow(refused)
  expect(() => sessionStore(session, new Map() as never)).toThrow(refused)
  expect(() => sessionStore(session, cache, { prefix: 1 as never })).toThrow(refused)
  for (const ttl of [0, NaN, '1' as never]) expect(() => sessionStore(session, cache, { ttl })).toThrow(refused)
})
