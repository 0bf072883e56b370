// Persisted queries of GraphQL: a client sends the hash of its query, and the text only when it is asked for. With a Map in
// each process it is asked again by each one that it meets. With one cache it sends the text once.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { ConcurrentCache } from 'mapsafe'

interface Question {
  readonly query?: string
  readonly hash: string
}
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const file = process.argv[2] as string | undefined

if (file === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-recipe-'))
  const servers = [1, 2, 3].map(() => fork(fileURLToPath(import.meta.url), [join(folder, 'queries.map')]))
  const ports = await Promise.all(servers.map(async (server) => ((await once(server, 'message')) as [number])[0]))
  const query = '{ user(id: 7) { name } }'
  for (const way of ['map', 'cache']) {
    let sent = 0
    for (let i = 0; i < 9; i++) {
      const ask = (question: Question): Promise<Response> =>
        fetch(`http://127.0.0.1:${ports[i % 3]}/${way}`, { method: 'POST', body: JSON.stringify(question) })
      const answer = (await (await ask({ hash: hashOf(query) })).json()) as { error?: string }
      if (answer.error !== 'PersistedQueryNotFound') continue
      sent++
      await ask({ hash: hashOf(query), query })
    }
    console.log(`a ${way}: the text was sent ${sent} times in 9 requests`)
  }
  // a map: the text was sent 3 times in 9 requests
  // a cache: the text was sent 1 times in 9 requests
  for (const server of servers) server.kill()
  rmSync(folder, { recursive: true })
} else {
  // A client may send any text: what is not used gives way, and a limit keeps long ones out.
  const cache = new ConcurrentCache<string, string>({ file, maxBytes: 2 ** 20, maxEntries: 10_000 })
  const map = new Map<string, string>()
  const answer = (body: string, queries: typeof map | typeof cache): object => {
    const { query, hash } = JSON.parse(body) as Question
    // A wrong hash would give others another query than they mean.
    if (query !== undefined && query.length < 10_000 && hashOf(query) === hash) queries.set(hash, query)
    const known = queries.get(hash)
    return known === undefined ? { error: 'PersistedQueryNotFound' } : { data: known.length }
  }
  const server = createServer((request, response) => {
    void text(request).then((body) => response.end(JSON.stringify(answer(body, request.url === '/map' ? map : cache))))
  })
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
}
