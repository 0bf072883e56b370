// One way to read, alone in a thread, so that the optimizing compiler sees no other.
import { workerData } from 'node:worker_threads'
import { ConcurrentMap } from 'mapsafe'
import { lastingKeys } from '../harness/data.js'
import { median } from '../harness/statistics.js'
import { answer } from '../harness/thread.js'
import type { NearHitsOrder, NearHitsSetup, Way } from './near-hits.js'

const { way, size, draws } = workerData as NearHitsSetup
const BATCH = 256
const LINE_WORDS = 16

interface Entry {
  readonly home: number
  readonly version: number
  readonly epoch: number
  readonly value: number
}

const keys = lastingKeys(size)
const words = new Int32Array(new SharedArrayBuffer(size * LINE_WORDS * 4))
const entries = new Map<string, Entry>()
for (const [n, key] of keys.entries()) entries.set(key, { home: n * LINE_WORDS, version: 0, epoch: 0, value: n })

const readers: Record<Exclude<Way, 'mapsafe'>, (key: string) => number | undefined> = {
  unchecked: (key) => entries.get(key)!.value,
  atomic: (key) => {
    const entry = entries.get(key)!
    return Atomics.load(words, entry.home) === entry.version ? entry.value : undefined
  },
  plain: (key) => {
    const entry = entries.get(key)!
    return words[entry.home] === entry.version ? entry.value : undefined
  },
  epoch: (key) => {
    const entry = entries.get(key)!
    return words[entry.home] === entry.version && words[entry.home + 1] === entry.epoch ? entry.value : undefined
  },
}

const read = way === 'mapsafe' ? readerOfMap() : readers[way]

function readerOfMap(): (key: string) => number | undefined {
  const map = new ConcurrentMap<string, number>({ nearCache: { maxEntries: 4 * size } })
  for (const [n, key] of keys.entries()) map.set(key, n)
  return (key) => map.get(key)
}

/** Median nanoseconds of a read. */
answer(({ milliseconds }: NearHitsOrder): number => {
  const batches: number[] = []
  const end = performance.now() + milliseconds
  let cursor = 0
  let wrong = 0
  for (let began = performance.now(); began < end;) {
    for (let i = 0; i < BATCH; i++, cursor = (cursor + 1) % draws.length) {
      const n = draws[cursor]
      wrong |= read(keys[n])! ^ n
    }
    const now = performance.now()
    batches.push(((now - began) / BATCH) * 1e6)
    began = now
  }
  if (wrong !== 0) throw new Error(`${way} returned a wrong value`)
  return median(batches)
})
