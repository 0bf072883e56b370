// A program of its own, started by lateness.test.ts: hits one key until it is absent, and counts the hits that came
// after its time.
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'
import { monotonic } from '../../src/platform/system-clock.js'

export interface StopReport {
  readonly lateHits: number
}

const TTL = 300
const cache = new ConcurrentCache<string, number>({ engine: process.argv[2] as EngineChoice })
const tell = (report: StopReport): void => void process.send!(report)

for (let i = 0; i < 1000; i++) cache.set('key', i, { ttl: TTL }).get('key')
cache.set('key', 1, { ttl: TTL })
const end = monotonic() + TTL
process.send!({ lateHits: 0 } satisfies StopReport, () => {
  let lateHits = 0
  for (let isLate = monotonic() >= end; cache.get('key') !== undefined; isLate = monotonic() >= end) {
    if (isLate) lateHits++
  }
  tell({ lateHits })
  setInterval(() => undefined, 1000)
})
