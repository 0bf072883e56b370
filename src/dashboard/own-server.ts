import { checkInteger } from '../base/arguments.js'
import { MapsafeError } from '../base/errors.js'
import { createServer, type Server } from '../platform/server.js'
import type { Settings } from './options.js'
import type { Page } from './page.js'

const LOOPBACK = '127.0.0.1'
/** More are not needed by browsers of one machine. */
const MOST_CONNECTIONS = 128

/** The page's own server, for programs that have none. */
export class OwnServer {
  #server: Server | undefined
  #isClosed = false

  constructor(
    private readonly page: Page,
    private readonly settings: Settings,
  ) {}

  async listen(port: number): Promise<string> {
    checkInteger('Argument port', port, 0, 65_535)
    if (this.#isClosed) throw new MapsafeError('ERR_MAPSAFE_CLOSED', 'The page was closed; make another one.')
    if (this.#server !== undefined) {
      throw new MapsafeError('ERR_MAPSAFE_OPTIONS', 'The page is served already; call listen once.')
    }
    const server = createServer((request, response) => {
      if (!this.page.answer(request, response)) response.writeHead(404).end()
    })
    this.#server = server
    server.maxConnections = MOST_CONNECTIONS
    if (!this.settings.keepAlive) {
      server.unref()
      server.on('connection', (socket) => socket.unref())
    }
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, LOOPBACK, resolve)
      })
    } catch (cause) {
      this.#server = undefined
      const { code } = cause as { readonly code?: string }
      throw new MapsafeError(
        'ERR_MAPSAFE_OPTIONS',
        `Port ${port} cannot be listened to (${code ?? 'unknown'}); expected one that is free, or 0 for any.`,
        { cause },
      )
    }
    const { port: chosen } = server.address() as { readonly port: number }
    return `http://${LOOPBACK}:${chosen}${this.settings.path}/#token=${this.settings.token}`
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}
