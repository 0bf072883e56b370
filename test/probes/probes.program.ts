// A program of its own, started by probes.test.ts under a tracer: does everything that a probe tells of, in one thread and
// a process that dies.
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConcurrentCache, ConcurrentMap, MapsafeError } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'

const KEY = 'key'
const [file, role] = process.argv.slice(2)
const options = { engine: 'native', nearCache: false } as const

/** Holds the key, and dies. */
function die(): void {
  storeOf(new ConcurrentMap<string, number>({ ...options, file })).hold(KEY)
  process.kill(process.pid, 'SIGKILL')
}

function growAndFill(): void {
  const map = new ConcurrentMap<number, number>({ ...options, maxBytes: 2 ** 20 })
  try {
    for (let i = 0; ; i++) map.set(i, i)
  } catch (error) {
    if (!(error instanceof MapsafeError) || error.code !== 'ERR_MAPSAFE_FULL') throw error
  }
}

async function cache(): Promise<void> {
  const cache = new ConcurrentCache<string, string>({ ...options, maxBytes: 2 ** 20 })
  cache.set(KEY, 'soon', { ttl: 1 })
  await sleep(10)
  cache.set(KEY, 'again')
  await cache.getOrLoad('loaded', () => {
    cache.delete('loaded')
    return 'too late'
  })
  for (let i = 0; cache.stats().counters.evicted === 0; i++) cache.set(`page ${i}`, 'x'.repeat(10_000))
}

function waitForTheDead(): void {
  const map = new ConcurrentMap<string, number>({ ...options, file })
  map.set(KEY, 1)
  const { signal } = spawnSync(process.execPath, [...process.execArgv, process.argv[1], file, 'dies'])
  if (signal !== 'SIGKILL') throw new Error('The child did not die as planned.')
  map.set(KEY, 2)
  map.get(KEY)
  map.increment('count')
  storeOf(map).hold(KEY)
  storeOf(map).letGo()
  map.delete(KEY)
  map.snapshot()
}

if (role === 'dies') {
  die()
} else {
  waitForTheDead()
  growAndFill()
  await cache()
}
