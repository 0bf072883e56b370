// A pool of workers, as piscina or workerpool make one, that computes what costs. With a memory in each worker, a task is
// computed by each worker that it meets. With one map, once; and its result is not copied through the main thread.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { ConcurrentMap, type MapHandle } from 'mapsafe'

interface Task {
  readonly way: 'own' | 'shared'
  readonly n: number
}

if (isMainThread) {
  const results = new ConcurrentMap<string, number>({ maxBytes: 2 ** 20 })
  const pool = [1, 2, 3].map(() => new Worker(new URL(import.meta.url), { workerData: results.handle }))
  /** Round robin: every task is sent to every worker in the end. */
  const runAll = async (way: Task['way']): Promise<void> => {
    for (let round = 0; round < pool.length; round++) {
      for (let n = 0; n < 6; n++) {
        const worker = pool[(n + round) % pool.length]
        const answer = once(worker, 'message')
        worker.postMessage({ way, n } satisfies Task)
        await answer
      }
    }
  }
  await runAll('own')
  console.log(`own: computed ${results.take('computed')!} times for 6 numbers`) // own: computed 18 times for 6 numbers
  await runAll('shared')
  console.log(`shared: computed ${results.take('computed')!} times for 6 numbers`) // shared: computed 6 times for 6 numbers
  for (const worker of pool) await worker.terminate()
} else {
  const results = ConcurrentMap.attach<string, number>(workerData as MapHandle)
  const own = new Map<number, number>()
  const fibonacci = (n: number): number => {
    results.increment('computed')
    const of = (k: number): number => (k < 2 ? k : of(k - 1) + of(k - 2))
    return of(n + 10)
  }
  parentPort!.on('message', ({ way, n }: Task) => {
    if (way === 'own') own.set(n, own.get(n) ?? fibonacci(n))
    // Who comes while another thread computes waits for it: not two compute.
    else results.getOrInsertComputed(`fibonacci:${n}`, () => fibonacci(n))
    parentPort!.postMessage('done')
  })
}
