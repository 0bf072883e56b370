import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

let service: ChildProcess
let errors: string
let url: string
/** The address of its page. */
let page: URL

beforeEach(async () => {
  // scripts/test.js has compiled it.
  const program = fileURLToPath(new URL('../../out/programs/examples/service/index.js', import.meta.url))
  service = spawn(process.execPath, [program, '--serve'], { stdio: ['ignore', 'pipe', 'pipe'] })
  errors = ''
  service.stderr!.on('data', (text: Buffer) => (errors += text.toString()))
  const lines: string[] = []
  const said = new Promise<void>((resolve) =>
    createInterface(service.stdout!).on('line', (line) => {
      if (lines.push(line) === 2) resolve()
    }),
  )
  await Promise.race([said, once(service, 'exit')])
  expect(lines, errors).toHaveLength(2)
  url = lines[0].split(' ')[0]
  page = new URL(lines[1].split(' ')[0])
})

afterEach(async () => {
  await stop()
  expect(errors).toBe('')
})

/** Ends the service as a terminal or an operator would, once. */
async function stop(): Promise<number | null> {
  if (service.exitCode === null && service.signalCode === null) {
    const ended = once(service, 'exit')
    service.kill('SIGTERM')
    await ended
  }
  return service.exitCode
}

interface Answer {
  status: number
  body: string
}

/** Asks over a connection of its own: one that is kept leads to the same process again. */
async function ask(path: string, client = 'ada', signal?: AbortSignal, method = 'GET'): Promise<Answer> {
  const asked = request(url + path, { agent: false, headers: { 'x-client': client }, signal, method })
  asked.end()
  const [response] = (await once(asked, 'response')) as [NodeJS.ReadableStream & { statusCode: number }]
  response.setEncoding('utf8')
  let body = ''
  for await (const text of response) body += text as string
  return { status: response.statusCode, body }
}

async function statistics(signal?: AbortSignal): Promise<Record<string, number> & { verdicts: unknown }> {
  return JSON.parse((await ask('/stats', 'ada', signal)).body) as Record<string, number> & { verdicts: unknown }
}

/** Asks over connections of their own, until both processes have answered. */
async function processes(signal?: AbortSignal): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < 2) {
    const all = await Promise.all(Array.from({ length: 4 }, () => statistics(signal)))
    for (const each of all) found.add(each.process)
  }
  return [...found]
}

test('products come from the database once, whichever process is asked', async () => {
  const responses = await Promise.all(Array.from({ length: 20 }, () => ask('/products/book')))
  expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200))
  const products = responses.map(({ body }) => JSON.parse(body) as unknown)
  expect(products).toEqual(products.map(() => expect.objectContaining({ id: 'book', price: 12 }) as unknown))
  await processes()
  const { loads, entries, verdicts } = await statistics()
  expect({ loads, entries }).toEqual({ loads: 1, entries: 1 })
  expect(verdicts).toContainEqual(expect.objectContaining({ name: expect.any(String) }))
})

test('each client has 25 requests, over both processes', async () => {
  const statuses = async (client: string, requests: number): Promise<number[]> =>
    (await Promise.all(Array.from({ length: requests }, () => ask('/products/pen', client)))).map(
      ({ status }) => status,
    )
  const [ada, bob] = await Promise.all([statuses('ada', 40), statuses('bob', 25)])
  expect(ada.filter((status) => status === 200)).toHaveLength(25)
  expect(ada.filter((status) => status === 429)).toHaveLength(15)
  expect(bob.filter((status) => status === 200)).toHaveLength(25)
})

test('a price that one process changes, all processes read', async () => {
  await ask('/products/cup')
  await processes()
  expect(JSON.parse((await ask('/products/cup?price=7', 'ada', undefined, 'PUT')).body)).toMatchObject({ price: 7 })
  await processes()
  for (let i = 0; i < 6; i++) expect(JSON.parse((await ask('/products/cup')).body)).toMatchObject({ price: 7 })
})

test('whichever process is asked for metrics has those of both', async () => {
  for (const id of ['a', 'b', 'c', 'a', 'b', 'c']) await ask(`/products/${id}`)
  await processes()
  const texts = await Promise.all(Array.from({ length: 6 }, async () => (await ask('/metrics')).body))
  for (const text of texts) {
    expect(text).toMatch(/^mapsafe_loads_total\{cache="products"\} 3$/m)
    expect(text).toMatch(/^mapsafe_threads\{cache="requests",state="running"\} 2$/m)
  }
})

test('the page shows the figures of both to who has its address', async () => {
  expect(page.pathname).toBe('/mapsafe/')
  await ask('/products/book')
  await processes()
  expect((await fetch(new URL('events', page))).status).toBe(401)
  // Connections go to the processes in turn.
  for (let i = 0; i < 4; i++) {
    expect(await (await fetch(page)).text()).toContain('<title>mapsafe')
    const headers = { authorization: `Bearer ${page.hash.replace('#token=', '')}`, connection: 'close' }
    const { body } = await fetch(new URL('events', page), { headers })
    let text = ''
    const decoder = new TextDecoder()
    for await (const part of body!) {
      text += decoder.decode(part as Uint8Array, { stream: true })
      if (/event: figures\n.*\n.*\n\n/.test(text)) break
    }
    expect(text).toMatch(/"products":\{.*"mapsafe_loads_total":1\b.*"requests":\{/)
  }
})

test('other paths are not found', async () => {
  expect((await ask('/')).status).toBe(404)
  expect((await ask('/products/')).status).toBe(404)
})

test('a process that was killed is replaced, and nothing is loaded again', async () => {
  await ask('/products/lamp')
  const [victim] = await processes()
  process.kill(victim, 'SIGKILL')
  let now: number[] = []
  const look = async (): Promise<void> => {
    // A connection that was passed to the dead process fails, or is never answered.
    now = await processes(AbortSignal.timeout(2000)).catch(() => [])
  }
  await look()
  while (now.length === 0 || now.includes(victim)) await look()
  expect((await ask('/products/lamp')).status).toBe(200)
  expect((await statistics()).loads).toBe(1)
})

test('it answers what has come before it ends', async () => {
  await processes()
  const last = ask('/products/slow').then(({ body }) => JSON.parse(body) as unknown)
  while ((await statistics()).loads === 0);
  expect(await stop()).toBe(0)
  expect(await last).toMatchObject({ id: 'slow' })
})
