// A process of waking.test.ts that waits for the load of another one, and has nothing else to do.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'

const [file, engine, ending] = process.argv.slice(2)
const cache = new ConcurrentCache<string, string>({ file, engine: engine as EngineChoice })

if (ending === 'worker') {
  const workers = Array.from(
    { length: 4 },
    () =>
      new Worker(new URL(import.meta.url), { argv: [file, engine, 'value'], execArgv: process.execArgv, stdout: true }),
  )
  await Promise.all(workers.map((worker) => once(worker.stdout, 'data')))
  console.log('waits')
  await Promise.all(workers.map((worker) => worker.terminate()))
  console.log('terminated')
} else {
  const controller = new AbortController()
  const call = cache.getOrLoad('key', () => 'taken over', { signal: controller.signal })
  setImmediate(() => {
    console.log('waits')
    if (ending === 'exit') process.exit()
    if (ending === 'abort') controller.abort()
  })
  console.log(await call.catch(() => 'aborted'))
  const ours = process.getActiveResourcesInfo().filter((resource) => !/Pipe|TTY|Port/.test(resource))
  console.log(`left: ${ours.join()}`)
}
