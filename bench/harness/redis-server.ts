import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const ATTEMPTS = 50
const ATTEMPT_MILLISECONDS = 100

/** A Redis server for this run alone, on 127.0.0.1, that keeps everything in memory. */
export class RedisServer {
  private constructor(
    readonly port: number,
    private readonly server: ChildProcess,
  ) {}

  /** @returns undefined if no `redis-server` can be run here */
  static async start(folder: string): Promise<RedisServer | undefined> {
    const port = await freePort()
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder]
    const server = spawn('redis-server', options, { stdio: 'ignore' })
    server.on('error', () => undefined)
    // Not installed. It must not be killed either: Node.js sends the signal to the id in its handle. That id may be 0,
    // which stands for this whole process group.
    if (server.pid === undefined) return undefined
    process.once('exit', () => server.kill())
    for (let attempt = 0; attempt < ATTEMPTS && server.exitCode === null; attempt++) {
      if (await answers(port)) return new RedisServer(port, server)
      await sleep(ATTEMPT_MILLISECONDS)
    }
    server.kill()
    return undefined
  }

  async stop(): Promise<void> {
    const stopped = once(this.server, 'exit')
    this.server.kill()
    await stopped
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
