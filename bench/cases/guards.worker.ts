// One map object, watched in one way, alone in a thread, so that the optimizing compiler sees no other.
import { workerData } from 'node:worker_threads'
import { ConcurrentMap, type ConcurrentMapOptions } from 'mapsafe'
import { lastingKeys } from '../harness/data.js'
import { median } from '../harness/statistics.js'
import { answer } from '../harness/thread.js'
import type { Act, GuardsOrder, GuardsSetup, Watch } from './guards.js'

const { watch, size, draws } = workerData as GuardsSetup
const BATCH = 256

const WATCHED: Readonly<Record<Watch, ConcurrentMapOptions>> = {
  off: { lostUpdates: false, guard: false },
  thresholds: { lostUpdates: false, guard: { callsPerSecond: 1e9 } },
  bare: { lostUpdates: { stacks: false }, guard: false },
  stacks: { lostUpdates: true, guard: false },
}

const keys = lastingKeys(size)
const open = (nearCache: ConcurrentMapOptions['nearCache']): ConcurrentMap<string, number> => {
  const map = new ConcurrentMap<string, number>({ ...WATCHED[watch], engine: 'native', nearCache })
  for (const [n, key] of keys.entries()) map.set(key, n)
  return map
}
const near = open({ maxEntries: 4 * size })
const far = open(false)

const acts: Readonly<Record<Act, (n: number) => unknown>> = {
  near: (n) => near.get(keys[n]),
  far: (n) => far.get(keys[n]),
  write: (n) => far.set(keys[n], n),
  // What is measured is the cost of looking for this mistake.
  // eslint-disable-next-line mapsafe/no-get-then-set
  both: (n) => far.set(keys[n], far.get(keys[n])!),
}

/** Median nanoseconds of an act. */
answer(({ act, milliseconds }: GuardsOrder): number => {
  const run = acts[act]
  const batches: number[] = []
  const end = performance.now() + milliseconds
  let cursor = 0
  for (let began = performance.now(); began < end;) {
    for (let i = 0; i < BATCH; i++, cursor = (cursor + 1) % draws.length) run(draws[cursor])
    const now = performance.now()
    batches.push(((now - began) / BATCH) * 1e6)
    began = now
  }
  if (near.stats().counters.lostUpdates + far.stats().counters.lostUpdates !== 0) throw new Error('nothing was lost')
  return median(batches)
})
