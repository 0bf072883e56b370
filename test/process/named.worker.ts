import { subscribe } from 'node:diagnostics_channel'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentCache, ConcurrentMap, MapsafeError, type ConcurrentCacheOptions } from '../../src/index.js'

/** What a worker is to do with a map that it knows by its name. */
export interface Order {
  readonly name: string
  readonly options?: ConcurrentCacheOptions
  readonly isCache?: boolean
  /** Number of increments of the key 'sum'. */
  readonly times?: number
  /** The module that a worker of this worker is to run with the same order, once. */
  readonly child?: string
  /** The channel to which an update that is lost, and a value that is large, are reported: both happen if it is given. */
  readonly reported?: string
}

/** What came of it. */
export interface Outcome {
  readonly sum?: number
  readonly reports?: number
  readonly code?: string
  readonly message?: string
}

/** Loses an update of another map object, and stores a string; returns how many reports came of it. */
function report(map: ConcurrentMap<string, number>, name: string): Outcome {
  let reports = 0
  subscribe(name, () => reports++)
  const other = ConcurrentMap.attach<string, unknown>(map.handle)
  map.get('sum')
  other.set('sum', 7)
  map.set('sum', 8)
  ;(map as ConcurrentMap<string, unknown>).set('text', 'text')
  other.close()
  return { sum: map.get('sum')!, reports }
}

function follow({ name, options, isCache = false, times = 1, child, reported }: Order): Outcome {
  try {
    const map = isCache
      ? ConcurrentCache.open<string, number>(name, options)
      : ConcurrentMap.open<string, number>(name, options)
    if (reported !== undefined) return report(map, reported)
    let sum = 0
    for (let i = 0; i < times; i++) sum = map.increment('sum')
    if (child !== undefined) new Worker(new URL(child), { workerData: { name, times } satisfies Order })
    return { sum }
  } catch (error) {
    if (!(error instanceof MapsafeError)) throw error
    return { code: error.code, message: error.message }
  }
}

const given = workerData as Order | null | undefined
if (given) follow(given)
else if (parentPort === null) {
  // A process of its own.
  process.on('message', (order: Order) => process.send!(follow(order)))
  process.send!({})
} else {
  const port = parentPort
  port.on('message', (order: Order) => {
    port.postMessage(follow(order))
  })
  port.postMessage({})
}
