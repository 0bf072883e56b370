// One map for all processes of a cluster: whichever of them serves a request, it counts for all.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConcurrentMap } from 'mapsafe'

if (cluster.isPrimary) {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-cluster-'))
  const file = join(folder, 'hits.map')
  const hits = new ConcurrentMap<string, number>({ file, maxBytes: 2 ** 20 })

  const workers = [1, 2, 3].map(() => cluster.fork({ HITS: file }))
  const addresses = await Promise.all(workers.map((worker) => once(worker, 'listening') as Promise<[AddressInfo]>))
  const [{ port }] = addresses[0]

  const paths = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? '/cart' : '/home'))
  await Promise.all(paths.map((path) => fetch(`http://localhost:${port}${path}`)))
  console.log(hits.get('/home'), hits.get('/cart')) // 40 20

  hits.close()
  for (const worker of workers) worker.kill()
  rmSync(folder, { recursive: true })
} else {
  // The file is there. Had nobody made it yet, the first process to come here would.
  const hits = new ConcurrentMap<string, number>({ file: process.env.HITS })
  createServer(({ url }, response) => {
    const count = hits.increment(url!)
    response.end(`request ${count} for ${url!}, served by process ${process.pid}`)
  }).listen(0)
}
