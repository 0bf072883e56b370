// One of several workers on one map: does what it is told, and says what came of it.
import { setTimeout } from 'node:timers'
import { parentPort, workerData } from 'node:worker_threads'

const { packageUrl, handle, engine, task, count, name } = workerData
const { ConcurrentCache, ConcurrentMap } = await import(packageUrl)

const tasks = {
  /** Each call must count, whoever else counts. */
  increment(map) {
    for (let i = 0; i < count; i++) map.increment('counter')
  },
  /** As a lock would: the loser of a swap reads again. */
  swap(map) {
    for (let done = 0; done < count;) {
      const seen = map.get('list')
      if (map.compareAndSwap('list', seen, [...seen, `${name}:${done}`])) done++
    }
  },
  /** Values that say of themselves whether they are whole. */
  churn(map) {
    for (let i = 0; i < count; i++) {
      const key = `key ${i % 50}`
      const number = (i * 7919) % 1000
      if (i % 5 === 0) map.delete(key)
      else map.set(key, { number, text: 'x'.repeat(number), twice: number * 2 })
      const found = map.get(`key ${(i * 31) % 50}`)
      if (found !== undefined && (found.text.length !== found.number || found.twice !== 2 * found.number)) {
        throw new Error(`half a value: ${JSON.stringify(found).slice(0, 100)}`)
      }
    }
  },
  /** All of them ask, and one of them loads. */
  async load(cache) {
    let loads = 0
    const load = async () => {
      loads++
      await new Promise((done) => setTimeout(done, 200))
      return 'loaded'
    }
    const values = await Promise.all(Array.from({ length: 5 }, () => cache.getOrLoad('key', load)))
    if (values.some((value) => value !== 'loaded')) throw new Error(`not what was loaded: ${values}`)
    return loads
  },
  /** Stays in the map until it is ended from outside. */
  hold(map) {
    map.set('held', 'before')
    parentPort.postMessage('ready')
    for (;;) map.increment('held count')
  },
}

const map = (task === 'load' ? ConcurrentCache : ConcurrentMap).attach(handle, { engine })
const result = await tasks[task](map)
map.close()
parentPort.postMessage({ result })
