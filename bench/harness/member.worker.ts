// One of several threads that use a store at the same time.
import { workerData } from 'node:worker_threads'
import type { Contender } from '../contenders/contender.js'
import { kindOf } from '../contenders/index.js'
import { expectedMark, lastingKeys, markOf, valueOf } from './data.js'
import { writePattern, type MixName } from './mix.js'
import type { MemberOrder, MemberSetup, Work } from './team.js'
import { answer } from './thread.js'

/**
 * One operation in so many is timed by itself. Coprime to the period of every mix, so that reads and writes are sampled
 * in proportion.
 */
const SAMPLE_INTERVAL = 61
const MAX_SAMPLES = 2 ** 20
const RENDEZVOUS_MILLISECONDS = 30_000

const { name, handle, draws, worker, ...setup } = workerData as MemberSetup
const { size, value: kind } = setup
const mark = markOf(kind)
const keys = lastingKeys(size)
const drawMask = draws.length - 1
// Every worker writes values of its own and goes through the draws from another place.
const pool = Array.from({ length: Math.min(size, 4096) }, (_, n) => valueOf(kind, n, worker + 1))
const samples = new Float64Array(MAX_SAMPLES)
let cursor = Math.floor((draws.length / 8) * worker)
let contender: Contender

answer(async (order: MemberOrder) => {
  switch (order.kind) {
    case 'open':
      contender = await kindOf(name).open(handle, setup)
      return undefined
    case 'fill':
      return contender.fill(entries())
    case 'work':
      meet(order.ready, order.workers)
      return kindOf(name).asynchronous
        ? await workAsynchronously(order.mix, order.milliseconds)
        : work(order.mix, order.milliseconds)
    case 'close':
      return contender.close()
  }
})

function* entries(): Generator<[string, unknown]> {
  for (let n = 0; n < size; n++) yield [keys[n], valueOf(kind, n, 0)]
}

function meet(ready: Int32Array, workers: number): void {
  Atomics.add(ready, 0, 1)
  Atomics.notify(ready, 0)
  for (let there = Atomics.load(ready, 0); there < workers; there = Atomics.load(ready, 0)) {
    if (Atomics.wait(ready, 0, there, RENDEZVOUS_MILLISECONDS) === 'timed-out') {
      throw new Error('the other workers did not start')
    }
  }
}

function work(mix: MixName, milliseconds: number): Work {
  const pattern = writePattern(mix)
  const start = performance.now()
  let now = start
  let wrong = 0
  let step = 0
  let taken = 0

  const operate = (): void => {
    const n = draws[cursor]
    cursor = (cursor + 1) & drawMask
    if (pattern[step] === 1) contender.set(keys[n], pool[expectedMark(n)])
    else wrong |= mark(contender.get(keys[n])) ^ expectedMark(n)
    step = step + 1 === pattern.length ? 0 : step + 1
  }

  while (now - start < milliseconds && taken < MAX_SAMPLES) {
    for (let untimed = 1; untimed < SAMPLE_INTERVAL; untimed++) operate()
    const began = performance.now()
    operate()
    now = performance.now()
    samples[taken++] = (now - began) * 1e6
  }
  return conclude(taken, now - start, wrong)
}

async function workAsynchronously(mix: MixName, milliseconds: number): Promise<Work> {
  const pattern = writePattern(mix)
  const start = performance.now()
  let now = start
  let wrong = 0
  let step = 0
  let taken = 0
  // A round trip is long enough to time every operation.
  while (now - start < milliseconds && taken < MAX_SAMPLES) {
    const n = draws[cursor]
    cursor = (cursor + 1) & drawMask
    const began = performance.now()
    if (pattern[step] === 1) await contender.set(keys[n], pool[expectedMark(n)])
    else wrong |= mark(await contender.get(keys[n])) ^ expectedMark(n)
    now = performance.now()
    step = step + 1 === pattern.length ? 0 : step + 1
    samples[taken++] = (now - began) * 1e6
  }
  return { ...conclude(taken, now - start, wrong), rate: (taken / (now - start)) * 1000 }
}

function conclude(taken: number, milliseconds: number, wrong: number): Work {
  if (wrong !== 0) throw new Error(`${name} returned a wrong value`)
  return {
    rate: ((taken * SAMPLE_INTERVAL) / milliseconds) * 1000,
    latencies: samples.slice(0, taken),
  }
}
