// Overwrites an object whenever it is told to, through shared memory: the reader measures without an event loop
// between.
import { workerData } from 'node:worker_threads'
import { ConcurrentMap } from 'mapsafe'
import { answer } from '../harness/thread.js'
import { DONE, ORDER, STOP, TURN, WRITE_OTHER, type DecodingSetup, type Numbered } from './decoding.js'

const { handle, signals, key, others } = workerData as DecodingSetup

answer(() => {
  const map = ConcurrentMap.attach<string, Numbered>(handle)
  for (let turn = 1; ; turn++) {
    Atomics.wait(signals, TURN, turn - 1)
    const order = Atomics.load(signals, ORDER)
    if (order === STOP) break
    const written = order === WRITE_OTHER ? others[turn % others.length] : key
    map.set(written, { number: turn, text: `turn ${turn}` })
    Atomics.store(signals, DONE, turn)
    Atomics.notify(signals, DONE)
  }
  map.close()
})
