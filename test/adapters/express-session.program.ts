// A program of its own, started by express-session.test.ts: a server whose sessions are in a file.
import type { AddressInfo } from 'node:net'
import express from 'express'
import session from 'express-session'
import { sessionStore } from '../../src/adapters/express-session.js'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'

declare module 'express-session' {
  interface SessionData {
    user: string
    visits: number
  }
}

const [file, engine] = process.argv.slice(2)
const cache = new ConcurrentCache<string, string>({ file, engine: engine as EngineChoice, maxBytes: 2 ** 20 })
const app = express()
app.use(
  session({
    store: sessionStore(session, cache),
    secret: 'of the test',
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 3_600_000 },
  }),
)
app.get('/login/:user', (request, response) => {
  request.session.user = request.params.user
  response.send(request.session.user)
})
app.get('/who', (request, response) => void response.send(request.session.user ?? 'nobody'))
app.get('/count', (request, response) => {
  request.session.visits = (request.session.visits ?? 0) + 1
  response.send(String(request.session.visits))
})
app.get('/logout', (request, response) => {
  request.session.destroy(() => response.send('out'))
})
// Changes the session, and answers when it is told to.
app.get('/slow', (request, response) => {
  request.session.visits = 1000
  process.once('message', () => response.send('late'))
  process.send!('slow')
})
const server = app.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
