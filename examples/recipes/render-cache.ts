// Pages that take long to render, in four workers. With a Map in each, every worker renders every page, and after a change
// goes on with what it has. One cache renders once, and a changed post takes the pages that show it away for all.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, ConcurrentMap, type CacheHandle, type MapHandle } from 'mapsafe'

interface Places {
  readonly pages: CacheHandle
  readonly data: MapHandle
}
type Way = 'a Map in each' | 'one cache'

if (isMainThread) {
  const pages = new ConcurrentCache<string, string>({ maxBytes: 2 ** 20 })
  const data = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
  const places: Places = { pages: pages.handle, data: data.handle }
  const workers = [1, 2, 3, 4].map(() => new Worker(new URL(import.meta.url), { workerData: places }))
  const visit = async (way: Way): Promise<string[]> => {
    const answers = workers.map((worker) => once(worker, 'message') as Promise<[string]>)
    for (const worker of workers) worker.postMessage(way)
    return (await Promise.all(answers)).flat()
  }
  for (const way of ['a Map in each', 'one cache'] as const) {
    data.set('post', 1).set('rendered', 0)
    await visit(way)
    const rendered = data.get('rendered')!
    data.set('post', 2)
    pages.invalidateTags(['post'])
    const old = (await visit(way)).filter((html) => html !== 'post 2').length
    console.log(`${way}: rendered ${rendered} times; after the change ${old} visitors see what was`)
  }
  // a Map in each: rendered 4 times; after the change 4 visitors see what was
  // one cache: rendered 1 times; after the change 0 visitors see what was
  for (const worker of workers) await worker.terminate()
} else {
  const places = workerData as Places
  const pages = ConcurrentCache.attach<string, string>(places.pages)
  const data = ConcurrentMap.attach<string, number>(places.data)
  const mine = new Map<string, string>()
  const render = async (): Promise<string> => {
    const post = data.get('post')!
    await sleep(30)
    data.increment('rendered')
    return `post ${post}`
  }
  const visit = async (way: Way): Promise<string | undefined> => {
    if (way === 'one cache') return pages.getOrLoad('/post', render, { tags: ['post'] })
    if (!mine.has('/post')) mine.set('/post', await render())
    return mine.get('/post')
  }
  parentPort!.on('message', (way: Way) => void visit(way).then((html) => parentPort!.postMessage(html)))
}
