import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

let service: ChildProcess
let errors: string
let url: string

beforeEach(async () => {
  // scripts/test.js has compiled it.
  const program = fileURLToPath(new URL('../../out/programs/examples/service/index.js', import.meta.url))
  service = spawn(process.execPath, [program, '--serve'], { stdio: ['ignore', 'pipe', 'pipe'] })
  errors = ''
  service.stderr!.on('data', (text: Buffer) => (errors += text.toString()))
  const line = await Promise.race([once(createInterface(service.stdout!), 'line'), once(service, 'exit')])
  // What it says of itself, or its exit code.
  expect(line[0], errors).toEqual(expect.any(String))
  url = (line[0] as string).split(' ')[0]
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
async function ask(path: string, client = 'ada', signal?: AbortSignal): Promise<Answer> {
  const asked = request(url + path, { agent: false, headers: { 'x-client': client }, signal })
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
  expect(products).toEqual(products.map(() => ({ id: 'book', name: 'Product book', price: 12 })))
  await processes()
  const { loads, entries, verdicts } = await statistics()
  expect({ loads, entries }).toEqual({ loads: 1, entries: 2 })
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
