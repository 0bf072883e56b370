// Ten requests a minute for a client, over three cluster workers. Counts in the memory of each worker let three times as
// many through. Counts in one file are exact, also when a worker is killed in the middle of its work.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConcurrentCache } from 'mapsafe'
import { RateLimitStore } from 'mapsafe/rate-limit'

const LIMIT = 10

interface Counter {
  increment(client: string): number
}

async function allowed(workers: Worker[], how: 'memory' | 'file', requests: number): Promise<number> {
  const answers = workers.map(async (worker) => {
    const answer = once(worker, 'message') as Promise<[number]>
    worker.send({ how, requests })
    return (await answer)[0]
  })
  return (await Promise.all(answers)).reduce((sum, each) => sum + each, 0)
}

if (cluster.isPrimary) {
  const folder = mkdtempSync(join(tmpdir(), 'mapsafe-recipe-'))
  const file = join(folder, 'limits.map')
  const workers = [1, 2, 3].map(() => cluster.fork({ LIMITS: file }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))

  console.log('memory:', await allowed(workers, 'memory', 20), 'of 60 requests') // memory: 30 of 60 requests

  // One worker dies after 4 requests. They stay counted.
  const before = await allowed(workers.slice(0, 1), 'file', 4)
  workers[0].process.kill('SIGKILL')
  await once(workers[0], 'exit')
  const after = await allowed(workers.slice(1), 'file', 20)
  console.log('file:', before + after, 'of 44 requests') // file: 10 of 44 requests

  for (const worker of workers.slice(1)) worker.process.kill()
  rmSync(folder, { recursive: true })
} else {
  const counts = new Map<string, number>()
  const memory: Counter = {
    increment(client) {
      const hits = (counts.get(client) ?? 0) + 1
      counts.set(client, hits)
      return hits
    },
  }
  const store = new RateLimitStore(new ConcurrentCache<string, number>({ file: process.env.LIMITS, maxBytes: 2 ** 20 }))
  const file: Counter = { increment: (client) => store.increment(client).totalHits }

  process.on('message', ({ how, requests }: { how: 'memory' | 'file'; requests: number }) => {
    const counter = how === 'memory' ? memory : file
    let passed = 0
    for (let i = 0; i < requests; i++) if (counter.increment('ada') <= LIMIT) passed++
    process.send!(passed)
  })
  process.send!('ready')
}
