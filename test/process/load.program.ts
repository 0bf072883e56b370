// A program of its own, started by load.test.ts: calls getOrLoad on the cache in a file, as often as it is told.
import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'
import type { LoadOrder, LoadReport } from './load.test.js'

const [file, engine] = process.argv.slice(2)
const cache = new ConcurrentCache<string, string>({ file, engine: engine as EngineChoice })

function tell(report: LoadReport): void {
  process.send!(report)
}

process.on('message', ({ key, calls, ms, error }: LoadOrder) => {
  const loader = async (): Promise<string> => {
    tell({ tells: 'called' })
    if (ms > 0) await sleep(ms)
    if (error !== undefined) throw new Error(error)
    return `loaded by ${process.pid}`
  }
  const all = Array.from({ length: calls }, () => cache.getOrLoad(key, loader))
  void Promise.allSettled(all).then((endings) => {
    const values = endings.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))
    tell({ tells: 'values', values })
  })
})
process.on('disconnect', () => {
  cache.close()
})
tell({ tells: 'ready' })
