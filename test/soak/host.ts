// A process of a soak. It runs members in threads and ends them when told so, while its own thread has no map.
import { appendFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { workerCode } from '../support/worker-code.js'
import type { HostOrder, HostRequest, Post } from './plan.js'

const { posts } = JSON.parse(process.argv[2]) as HostOrder
const entry = workerCode(new URL('member.ts', import.meta.url)).href
const workers = posts.map(start)

function start(post: Post): Worker {
  const worker = new Worker(new URL('../support/typescript-worker.js', import.meta.url), {
    workerData: { entry, post },
  })
  worker.on('error', (error: Error) => {
    appendFileSync(post.places.violations, `member ${post.slot} failed: ${error.stack ?? error.message}\n`)
  })
  return worker
}

process.on('message', ({ terminate }: HostRequest) => {
  void workers[terminate].terminate().then(() => {
    workers[terminate] = start(posts[terminate])
  })
})
// The conductor is gone, or done.
process.on('disconnect', () => process.exit())
