// Sessions shared by the main thread and its workers: what one thread writes, all others read at once.
import { once } from 'node:events'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

interface Session {
  user: string
  cart: string[]
}

if (isMainThread) {
  const sessions = new ConcurrentMap<string, Session>({ maxBytes: 16 * 2 ** 20 })
  sessions.set('s1', { user: 'Ada', cart: [] })

  // Only the handle travels; the memory behind it is shared.
  for (const item of ['book', 'lamp']) {
    const worker = new Worker(new URL(import.meta.url), { workerData: { sessions: sessions.handle, item } })
    await once(worker, 'exit')
  }
  console.log(sessions.get('s1')) // { user: 'Ada', cart: [ 'book', 'lamp' ] }
} else {
  const { sessions: handle, item } = workerData as { sessions: MapHandle; item: string }
  const sessions = ConcurrentMap.attach<string, Session>(handle)

  // A value is frozen: to change one, store a new one, on condition that nobody else did meanwhile.
  for (;;) {
    const { value, version } = sessions.getEntry('s1')!
    if (sessions.setIfVersion('s1', { ...value, cart: [...value.cart, item] }, version)) break
  }
}
