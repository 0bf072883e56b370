// A program of its own, started by bpftrace.test.ts: exceeds the thresholds that the scripts of tools/bpftrace watch, over
// and over, until its parent ends it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'

const [file, role] = process.argv.slice(2)
const options = { engine: 'native', nearCache: false } as const

/** Holds a key, says so, and lets go of it when it is told. */
async function holdUntilTold(): Promise<void> {
  const map = new ConcurrentMap<string, number>({ ...options, file })
  for (;;) {
    const store = storeOf(map)
    store.hold('held')
    process.stdout.write('.')
    await new Promise((resolve) => setTimeout(resolve, 20))
    store.letGo()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function exceed(): Promise<void> {
  const map = new ConcurrentMap<string, number | string>({ ...options, file })
  const cache = new ConcurrentCache<number, string>({ ...options, maxBytes: 2 ** 20 })
  const holder = spawn(process.execPath, [...process.execArgv, process.argv[1], file, 'holds'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  process.on('exit', () => holder.kill('SIGKILL'))
  process.on('disconnect', () => process.exit())
  for (let round = 0; ; round++) {
    process.send?.(round)
    map.set('large', 'x'.repeat(1000))
    for (let i = 0; i < 200; i++) map.get('hot')
    map.update('slow', (value = 0) => {
      const until = performance.now() + 3
      while (performance.now() < until);
      return value
    })
    map.set('held', round)
    for (let i = 0; i < 200; i++) cache.set(round * 200 + i, 'x'.repeat(1000))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

await (role === 'holds' ? holdUntilTold() : exceed())
