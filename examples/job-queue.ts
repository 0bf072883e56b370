// Jobs that several workers pick up, each exactly once: `take` reads and deletes in one step, so only one worker gets a
// job.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

interface Job {
  url: string
}

if (isMainThread) {
  const jobs = new ConcurrentMap<number, Job>({ maxBytes: 16 * 2 ** 20 })
  for (let id = 0; id < 1000; id++) jobs.set(id, { url: `https://example.org/${id}` })

  const workers = Array.from({ length: 3 }, () => new Worker(new URL(import.meta.url), { workerData: jobs.handle }))
  const answers = (await Promise.all(workers.map((worker) => once(worker, 'message')))) as [number][]
  const done = answers.reduce((sum, [count]) => sum + count, 0)
  console.log(`${done} jobs done, ${jobs.size} left`) // 1000 jobs done, 0 left
} else {
  const jobs = ConcurrentMap.attach<number, Job>(workerData as MapHandle)
  let done = 0
  // Others take jobs while this thread iterates; a key is met only if its job was still there a moment ago.
  for (const id of jobs.keys()) {
    const job = jobs.take(id)
    if (job !== undefined) done++ // here the worker would fetch job.url
  }
  parentPort!.postMessage(done)
}
