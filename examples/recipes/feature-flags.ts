// A flag is turned on while workers run. Who has read the flags at its start does not learn it; who watches does, and is
// told of a change no sooner than it can read it.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

const FLAG = 'new-checkout'

if (isMainThread) {
  const flags = new ConcurrentMap<string, boolean>({ maxBytes: 2 ** 20 })
  flags.set(FLAG, false)
  const workers = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: flags.handle }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const told = workers.map((worker) => once(worker, 'message') as Promise<[{ copied: boolean; watched: boolean }]>)
  flags.set(FLAG, true)
  const seen = (await Promise.all(told)).flat()
  console.log(`copied at the start: ${seen.filter(({ copied }) => copied).length} of 3 workers`) // copied at the start: 0 of 3 workers
  console.log(`watched: ${seen.filter(({ watched }) => watched).length} of 3 workers`) // watched: 3 of 3 workers
} else {
  const flags = ConcurrentMap.attach<string, boolean>(workerData as MapHandle)
  const copy = new Map(flags)
  // What is derived from flags, as compiled rules would be.
  let rules = flags.get(FLAG) === true ? 'new' : 'old'
  const watching = flags.watch(FLAG, () => {
    rules = flags.get(FLAG) === true ? 'new' : 'old'
    parentPort!.postMessage({ copied: copy.get(FLAG) === true, watched: rules === 'new' })
    watching.stop()
    parentPort!.close()
  })
  parentPort!.on('message', () => undefined) // a listener of flags keeps no worker alive
  parentPort!.postMessage('ready')
}
