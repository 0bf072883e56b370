// Loads or waits for keys, in a worker or a process of its own.
import { ConcurrentCache } from 'mapsafe'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { WakingOrder, WakingSetup } from './waking.js'

const given = parentPort === null ? (JSON.parse(process.argv[2]) as WakingSetup) : (workerData as WakingSetup)
const cache =
  'file' in given
    ? new ConcurrentCache<string, number>({ file: given.file, engine: given.engine })
    : ConcurrentCache.attach<string, number>(given.handle, { engine: given.engine })

/** Milliseconds after an order, in which the machine comes to rest. */
const REST = 3
/** Milliseconds from the order to end a load to its end. By then polls are as seldom as they become. */
const LASTS = 25
/** The pauses of the calls that looked every few milliseconds. */
const FIRST_POLL = 1
const POLL_GROWTH = 1.25
const LAST_POLL = 8

let endLoad: () => void = () => undefined

const tell = (report: unknown): void => {
  if (parentPort === null) process.send!(report)
  else parentPort.postMessage(report)
}

/** Nanoseconds, alike in all threads and processes. */
const now = (): number => Number(process.hrtime.bigint())

async function poll(key: string): Promise<number> {
  for (let pause = FIRST_POLL; ; pause = Math.min(pause * POLL_GROWTH, LAST_POLL)) {
    const value = cache.get(key)
    if (value !== undefined) return value
    await sleep(pause)
  }
}

async function serve({ does, key }: WakingOrder): Promise<void> {
  if (does === 'end') {
    await sleep(LASTS)
    endLoad()
  } else if (does === 'load') {
    const ended = new Promise<void>((resolve) => (endLoad = resolve))
    const call = cache.getOrLoad(key, async () => {
      await ended
      return now()
    })
    tell({ tells: 'begun' })
    await call
    tell({ tells: 'loaded' })
  } else {
    const call = does === 'wait' ? cache.getOrLoad(key, () => NaN) : poll(key)
    await sleep(REST)
    tell({ tells: 'begun' })
    const loaded = await call
    tell({ tells: 'woken', latency: now() - loaded })
  }
}

const receive = (order: WakingOrder): void => void serve(order)
if (parentPort === null) process.on('message', receive).on('disconnect', () => process.exit())
else parentPort.on('message', receive)
tell({ tells: 'ready' })
