// A worker of a Team.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { ConcurrentCache, type CacheHandle, type EngineChoice, type Key } from '../../src/index.js'
import { Random } from '../support/random.js'
import {
  CALLED,
  ENDED,
  GATE,
  MOST,
  RUNNING,
  TICK,
  preciseNow,
  type Attempt,
  type Ending,
  type Request,
  type Script,
} from './team.js'

const { handle, engine, shared } = workerData as {
  handle: CacheHandle
  engine: EngineChoice
  shared: SharedArrayBuffer
}
const cache = ConcurrentCache.attach<Key, unknown>(handle, { engine })
const words = new Int32Array(shared)
const doubles = new Float64Array(shared)

parentPort!.on('message', ({ id, request }: { id: number; request: Request }) => {
  answer(request).then(
    (result) => parentPort!.postMessage({ id, result }),
    (error: unknown) => parentPort!.postMessage({ id, failure: error instanceof Error ? error.stack : String(error) }),
  )
})

async function answer(request: Request): Promise<unknown> {
  switch (request.does) {
    case 'load':
      return ending(cache.getOrLoad(request.key, () => play(request.script), request.options))
    case 'loadMany':
      return ending(
        cache.getManyOrLoad(
          request.keys,
          async (keys) => {
            await play(request.script)
            return keys.map((key) => [key, key] as const)
          },
          request.options,
        ),
      )
    case 'stampede':
      return Promise.all(
        Array.from({ length: request.calls }, () =>
          ending(cache.getOrLoad(request.key, () => play(request.script), { timeout: 60_000 })),
        ),
      )
    case 'stress':
      return stress(request.seed, request.times, request.keys)
    case 'fail':
      return attempts(request.seed, request.times, request.keys)
    case 'set':
      cache.set(request.key, request.value)
      return undefined
    case 'delete':
      return cache.delete(request.key)
    case 'clear':
      cache.clear()
      return undefined
    case 'get':
      return cache.get(request.key)
  }
}

async function play({ ms, value, error, hangs, busy = 0, waits }: Script): Promise<unknown> {
  Atomics.add(words, CALLED, 1)
  const running = Atomics.add(words, RUNNING, 1) + 1
  for (let most = Atomics.load(words, MOST); most < running;) {
    most = Atomics.compareExchange(words, MOST, most, running)
  }
  try {
    for (const start = performance.now(); performance.now() - start < busy;);
    await sleep(ms)
    while (waits === true && Atomics.load(words, GATE) === 0) await sleep(2)
    if (hangs === true) await new Promise(() => undefined)
    if (error !== undefined) {
      throw Object.assign(new RangeError(error, { cause: { reason: 'scripted' } }), { code: 'E_SCRIPT' })
    }
    return value
  } finally {
    Atomics.sub(words, RUNNING, 1)
    doubles[ENDED] = preciseNow()
  }
}

async function ending(call: Promise<unknown>): Promise<Ending> {
  try {
    const value = await call
    return { value, lag: preciseNow() - doubles[ENDED] }
  } catch (thrown) {
    const lag = preciseNow() - doubles[ENDED]
    if (!(thrown instanceof Error))
      return { error: { name: '', message: String(thrown), code: undefined, cause: undefined, stack: '' }, lag }
    const { name, message, cause, stack = '' } = thrown
    return { error: { name, message, cause, stack, code: (thrown as { code?: unknown }).code }, lag }
  }
}

/** Calls loaders that fail, each failure with a name of its own. */
async function attempts(seed: number, times: number, keys: number): Promise<Attempt[]> {
  const random = new Random(seed)
  const done: Attempt[] = []
  const one = async (key: number, name: string, pause: boolean): Promise<void> => {
    const began = Atomics.add(words, TICK, 1)
    let failure: string | undefined
    try {
      await cache.getOrLoad(key, async () => {
        if (pause) await sleep(0)
        throw new Error(name)
      })
    } catch (error) {
      failure = (error as Error).message
    }
    done.push({ key, began, ended: Atomics.add(words, TICK, 1), failure })
  }
  let running: Promise<void>[] = []
  for (let i = 0; i < times; i++) {
    running.push(one(random.below(keys), `${seed}:${i}`, random.chance(0.5)))
    if (random.chance(0.7)) running = [Promise.all(running).then(() => undefined)]
    if (random.chance(0.5)) await running[0]
  }
  await Promise.all(running)
  return done
}

/**
 * Loads, writes and deletes keys at random. Returns what went wrong: a call that ended in an unforeseen way, or a value
 * that was read although it had been invalidated. The loader returns `key:n` with n the number of the call, and fails
 * now and then.
 */
async function stress(seed: number, times: number, keys: number): Promise<string[]> {
  const random = new Random(seed)
  const faults: string[] = []
  const calls: Promise<void>[] = []
  for (let i = 0; i < times; i++) {
    const key = random.below(keys)
    const choice = random.below(20)
    if (choice < 1) cache.delete(key)
    else if (choice < 2) cache.set(key, `${key}:set`)
    else if (choice < 3 && random.chance(0.05)) cache.clear()
    else calls.push(load(key, random.below(4), random.chance(0.2)))
    if (random.chance(0.3)) await sleep(random.below(3))
  }
  await Promise.all(calls)
  return faults

  async function load(key: number, ms: number, fails: boolean): Promise<void> {
    const script = fails ? { ms, error: `${key}` } : { ms, value: `${key}:loaded` }
    try {
      const value = await cache.getOrLoad(key, () => play(script), { timeout: 20_000 })
      if (value !== `${key}:loaded` && value !== `${key}:set`) faults.push(`key ${key} gave ${String(value)}`)
    } catch (error) {
      if ((error as Error).message !== `${key}`) faults.push(`key ${key} threw ${String(error)}`)
    }
  }
}
