// The primary: it keeps two processes running, and stops them in good order.
import cluster from 'node:cluster'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PROCESSES = 2

export interface Service {
  readonly url: string
  /** The address of the page that shows what the caches do. */
  readonly page: string
  /** Resolves when all requests are answered and all processes have ended. */
  stop(): Promise<void>
}

/** @param port 0 for one that is free */
export async function startService(port: number): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-service-'))
  const token = randomBytes(24).toString('base64url')
  const environment = { CACHE_FOLDER: folder, PORT: String(port), PAGE_TOKEN: token }
  cluster.setupPrimary({ exec: fileURLToPath(new URL('worker.js', import.meta.url)) })

  let stopping = false
  // A process that has ended is replaced. The new one finds the caches as the old one left them.
  cluster.on('exit', () => {
    if (!stopping) cluster.fork(environment)
  })
  const workers = Array.from({ length: PROCESSES }, () => cluster.fork(environment))
  const addresses = await Promise.all(workers.map((worker) => once(worker, 'listening') as Promise<[AddressInfo]>))
  const url = `http://localhost:${addresses[0][0].port}`

  return {
    url,
    page: `${url}/mapsafe/#token=${token}`,
    async stop() {
      stopping = true
      const running = Object.values(cluster.workers!).filter((worker) => worker !== undefined)
      const ended = Promise.all(running.map((worker) => once(worker, 'exit')))
      for (const worker of running) worker.send('stop')
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}
