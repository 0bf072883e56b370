// A thread or process of a Crew: does the tasks it is told, one after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { ConcurrentCache, ConcurrentMap, type CacheHandle } from '../../src/index.js'
import { Barrier } from './barrier.js'
import type { Order, Outcome, Task } from './crew.js'
import { Random } from './random.js'
import { openMemory } from './shared-memory.js'

const { tasks } = (parentPort === null ? { tasks: process.argv[2] } : workerData) as { tasks: string }
const module = (await import(tasks)) as Record<string, Task>

const answer = (outcome: Outcome): void => {
  if (parentPort === null) process.send!(outcome)
  else parentPort.postMessage(outcome)
}
const listen = (order: Order): void => void obey(order).then(answer)
if (parentPort === null) process.on('message', listen)
else parentPort.on('message', listen)

async function obey(order: Order): Promise<Outcome> {
  const { task, parameters, handle, attach, worker, workers, seed, run, barrier: memory } = order
  const barrier = new Barrier(openMemory(memory), workers)
  const rendezvous = (): void => barrier.wait()
  try {
    const map =
      handle.kind === 'mapsafe.cache'
        ? ConcurrentCache.attach(handle as CacheHandle, attach)
        : ConcurrentMap.attach(handle, attach)
    try {
      const shift = { map, worker, workers, random: new Random(seed).fork(run).fork(worker), rendezvous }
      rendezvous()
      return { result: await module[task](shift, ...parameters) }
    } finally {
      map.close()
    }
  } catch (error) {
    barrier.break()
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
