// A session that began in one process goes on in another one, and a logout ends it in all. With the default store of
// express-session, who is served by another process is logged out.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import session from 'express-session'
import { ConcurrentCache } from 'mapsafe'
import { sessionStore } from 'mapsafe/express-session'

declare module 'express-session' {
  interface SessionData {
    user: string
  }
}

const file = process.argv[2] as string | undefined

if (file === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-recipe-'))
  const servers = [1, 2].map(() => fork(fileURLToPath(import.meta.url), [join(folder, 'sessions.map')]))
  const ports = await Promise.all(servers.map(async (server) => ((await once(server, 'message')) as [number])[0]))

  for (const store of ['default', 'shared']) {
    const urls = ports.map((port) => `http://127.0.0.1:${port}/${store}`)
    const login = await fetch(`${urls[0]}/login`)
    const headers = { cookie: login.headers.get('set-cookie')!.split(';')[0] }
    const who = async (url: string): Promise<string> => (await fetch(`${url}/who`, { headers })).text()
    const [here, there] = [await who(urls[0]), await who(urls[1])]
    await fetch(`${urls[1]}/logout`, { headers })
    console.log(`${store}: ${here}, ${there}; after a logout in the other: ${await who(urls[0])}`)
  }
  // default: ada, nobody; after a logout in the other: ada
  // shared: ada, ada; after a logout in the other: nobody

  for (const server of servers) server.kill()
  rmSync(folder, { recursive: true })
} else {
  const cache = new ConcurrentCache<string, string>({ file, maxBytes: 2 ** 20 })
  const options = { secret: 'of the recipe', resave: false, saveUninitialized: false }
  const app = express()
  app.use('/default', session({ ...options, name: 'default' }))
  app.use('/shared', session({ ...options, name: 'shared', store: sessionStore(session, cache) }))
  app.get('/:store/login', (request, response) => {
    request.session.user = 'ada'
    response.end()
  })
  app.get('/:store/who', (request, response) => void response.send(request.session.user ?? 'nobody'))
  app.get('/:store/logout', (request, response) => void request.session.destroy(() => response.end()))
  const server = app.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
}
