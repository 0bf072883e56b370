// A thread or process of waking.test.ts. It looks by timers so seldom that only a wake-up ends a wait in time.
import { parentPort, threadId, workerData } from 'node:worker_threads'
import { ConcurrentCache, type EngineChoice } from '../../src/index.js'
import type { CacheHandle } from '../../src/index.js'
import { Random } from '../support/random.js'
import type { SleeperOrder, SleeperReport, SleeperSetup } from './sleeper.js'

const SELDOM = 10_000
const LONGEST = 2 ** 31 - 1
const timer = globalThis.setTimeout
globalThis.setTimeout = ((run: () => void, ms = 0) =>
  timer(run, Math.min(LONGEST, ms < 20 ? ms : ms * SELDOM))) as typeof timer

const isThread = parentPort !== null
const { handle, engine, nearCache } = (isThread ? workerData : JSON.parse(process.argv[2])) as SleeperSetup & {
  readonly handle: CacheHandle
  readonly engine: EngineChoice
}
const cache = ConcurrentCache.attach<string, string>(handle, { engine, ...(!nearCache && { nearCache }) })
/** What ends the loads that last, by key. */
const ends = new Map<string, (error?: Error) => void>()

function tell(report: SleeperReport): void {
  if (isThread) parentPort!.postMessage(report)
  else process.send!(report)
}

function serve(order: SleeperOrder): void {
  switch (order.does) {
    case 'race':
      void race(order).then((faults) => tell({ tells: 'raced', faults }))
      return
    case 'load':
      for (const key of order.keys) void load(key)
      tell({ tells: 'begun' })
      return
    case 'end':
      for (const key of order.keys) ends.get(key)!(order.error === undefined ? undefined : new Error(order.error))
      return
    case 'wait':
      for (const key of order.keys) void wait(key)
      tell({ tells: 'begun' })
      return
    case 'set':
      for (const key of order.keys) cache.set(key, 'set')
      return
    case 'delete':
      for (const key of order.keys) cache.delete(key)
      return
    case 'clear':
      cache.clear()
      return
    case 'close':
      cache.close()
      tell({ tells: 'begun' })
      return
  }
}

/** Loads until it is told to end. */
async function load(key: string): Promise<void> {
  const outcome = await settled(
    cache.getOrLoad(
      key,
      () =>
        new Promise((resolve, reject) =>
          ends.set(key, (error) => (error === undefined ? resolve('loaded') : reject(error))),
        ),
    ),
  )
  tell({ tells: 'outcome', key, outcome })
}

async function wait(key: string): Promise<void> {
  const outcome = await settled(cache.getOrLoad(key, () => `taken over`))
  tell({ tells: 'outcome', key, outcome })
}

async function settled(call: Promise<string>): Promise<string> {
  try {
    return await call
  } catch (error) {
    return `error: ${(error as Error).message}`
  }
}

/**
 * Asks for one key after the other, as the other members do at the same time. Who loads takes about as long as it takes
 * the others to begin to wait. No member clears the cache, which would wake all, and make up for a wake-up that was lost.
 */
async function race({ seed, rounds, name }: Extract<SleeperOrder, { does: 'race' }>): Promise<string[]> {
  const random = new Random(seed)
  const faults: string[] = []
  const pause = (): void => {
    for (let spins = random.below(40_000); spins > 0; spins--);
  }
  for (let round = 0; round < rounds; round++) {
    const key = `${name} ${round}`
    const end = random.below(6)
    const loader = async (): Promise<string> => {
      if (end < 3) await new Promise((resolve) => setImmediate(resolve))
      pause()
      if (end === 1) throw new Error('failed')
      if (end === 2) cache.delete(key)
      if (end === 3) cache.set(key, 'loaded')
      return 'loaded'
    }
    const outcome = await settled(cache.getOrLoad(key, loader))
    if (outcome !== 'loaded' && outcome !== 'error: failed') faults.push(`${key}: ${outcome}`)
    if (round % 100 === 99) tell({ tells: 'round', round })
  }
  return faults
}

if (isThread) parentPort!.on('message', serve)
else process.on('message', serve).on('disconnect', () => process.exit())
tell({ tells: 'ready', name: `${process.pid}:${threadId}` })
