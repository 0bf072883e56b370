// A process that may open few files, started by descriptors.test.ts: runs out of descriptors and goes on with its maps.
// It does what it is told, a word a time, and answers each with a line of JSON.
import { openSync } from 'node:fs'
import { ConcurrentCache, ConcurrentMap, type EngineChoice } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'

const [file, engine] = process.argv.slice(2)
const options = { engine: engine as EngineChoice, maxBytes: 2 ** 20 }
const map = new ConcurrentMap<string, number>({ ...options, file })
const memory = new ConcurrentMap<string, number>(options)

const open = (path: string): void => new ConcurrentMap({ ...options, file: path }).close()

const commands: Record<string, () => unknown> = {
  exhaust() {
    for (;;) openSync('/dev/null', 'r')
  },
  openAnother: () => open(`${file}.another`),
  make: () => open(`${file}.new`),
  attach: () => ConcurrentMap.attach(map.handle).close(),
  attachToMemory() {
    const other = ConcurrentMap.attach<string, number>(memory.handle, { engine: options.engine })
    other.set('key', 1)
    // A third one asks who is dead.
    ConcurrentMap.attach(memory.handle, { engine: options.engine }).close()
    other.set('key', 2)
    return [memory.get('key'), memory.stats().threads.map(({ state }) => state === 'dead')]
  },
  makeInMemory: () => new ConcurrentCache<string, number>({ ...options, ttl: 1000 }).set('key', 3).get('key'),
  write: () => map.set('key', process.pid).get('key') === process.pid,
  hold() {
    storeOf(map).hold('key')
    process.send!('held', () => {
      for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })
  },
  states: () => map.stats().threads.map(({ state }) => state),
}

process.on('message', (command: string) => {
  let answer: unknown
  try {
    answer = commands[command]()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    answer = { code, message }
  }
  process.send!({ answer })
})
