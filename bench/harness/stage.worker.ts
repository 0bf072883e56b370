// One contender alone in a thread of its own, so that the optimizing compiler sees no other.
import { workerData } from 'node:worker_threads'
import { Bench } from 'tinybench'
import type { Contender } from '../contenders/contender.js'
import { kindOf } from '../contenders/index.js'
import { expectedMark, isValueOf, keyOf, lastingKeys, markOf, missingKeyOf, valueOf } from './data.js'
import { MANY, MIXED_PERIOD, type StageOrder, type StageSetup } from './stage.js'
import { answer } from './thread.js'

/** Operations between two looks at the clock, a power of two: its cost, some 40 ns, is then below the noise. */
const BATCH = 256
const ASYNCHRONOUS_BATCH = 16
const GENERATIONS = 2
/** Values checked to the last byte after each measurement. */
const CHECKED = 16

const { name, handle, draws, ...setup } = workerData as StageSetup
const { size, value: kind } = setup
const { asynchronous } = kindOf(name)
const contender: Contender = await kindOf(name).open(handle, setup)
const mark = markOf(kind)
const keys = lastingKeys(size)
let missing: string[] = []
let pool: unknown[][] = []
/** The keys of the draws, {@link MANY} in each. */
let lists: string[][] = []

const batch = asynchronous ? ASYNCHRONOUS_BATCH : BATCH
const cursorMask = draws.length - 1
let cursor = 0
let generation = 0

answer(async (order: StageOrder) => {
  switch (order.kind) {
    case 'fill':
      return contender.fill(entries())
    case 'measure': {
      if (order.operation === 'miss' && missing.length === 0) missing = lastingKeys(size, missingKeyOf)
      const writes = order.operation === 'set' || order.operation === 'mixed'
      if (order.operation === 'getMany' && lists.length === 0) lists = listsOfKeys()
      if (writes && pool.length === 0) pool = Array.from({ length: GENERATIONS }, valuesOf)
      const operation = asynchronous
        ? asynchronousOperations[order.operation as Asynchronous]
        : synchronousOperations[order.operation]
      const nanoseconds = await measure(operation, order.milliseconds, order.warmup)
      await check(order.operation === 'set')
      return nanoseconds
    }
    case 'close':
      return contender.close()
  }
})

function* entries(): Generator<[string, unknown]> {
  for (let n = 0; n < size; n++) yield [keys[n], valueOf(kind, n, 0)]
}

function valuesOf(_: unknown, index: number): unknown[] {
  return Array.from({ length: Math.min(size, 4096) }, (_, n) => valueOf(kind, n, index + 1))
}

function listsOfKeys(): string[][] {
  return Array.from({ length: draws.length / MANY }, (_, list) =>
    Array.from({ length: MANY }, (_, index) => keys[draws[list * MANY + index]]),
  )
}

/** Median time of an operation in nanoseconds. */
async function measure(operation: () => unknown, milliseconds: number, warmup: number): Promise<number> {
  const bench = new Bench({
    time: milliseconds,
    iterations: 1,
    warmupTime: warmup,
    warmupIterations: 1,
    throws: true,
  })
  bench.add(name, operation)
  const [task] = asynchronous ? await bench.run() : bench.runSync()
  const { result } = task
  if (result.state !== 'completed') throw new Error(`the measurement of ${name} ended as ${result.state}`)
  return (result.latency.p50 / batch) * 1e6
}

// Each operation has a loop of its own, and each loop checks what it gets without a branch.
const synchronousOperations = {
  hit: (): void => {
    let wrong = 0
    for (let index = cursor; index < cursor + BATCH; index++) {
      const n = draws[index]
      wrong |= mark(contender.get(keys[n])) ^ expectedMark(n)
    }
    finish(wrong)
  },
  hitFreshKey: (): void => {
    let wrong = 0
    for (let index = cursor; index < cursor + BATCH; index++) {
      const n = draws[index]
      wrong |= mark(contender.get(keyOf(n))) ^ expectedMark(n)
    }
    finish(wrong)
  },
  miss: (): void => {
    let wrong = 0
    for (let index = cursor; index < cursor + BATCH; index++) {
      wrong |= contender.get(missing[draws[index]]) === undefined ? 0 : 1
    }
    finish(wrong)
  },
  set: (): void => {
    const values = nextValues()
    for (let index = cursor; index < cursor + BATCH; index++) {
      const n = draws[index]
      contender.set(keys[n], values[expectedMark(n)])
    }
    finish(0)
  },
  mixed: (): void => {
    const values = nextValues()
    let wrong = 0
    for (let index = cursor; index < cursor + BATCH; index++) {
      const n = draws[index]
      if (index % MIXED_PERIOD === 0) contender.set(keys[n], values[expectedMark(n)])
      else wrong |= mark(contender.get(keys[n])) ^ expectedMark(n)
    }
    finish(wrong)
  },
  getMany: (): void => {
    let wrong = 0
    for (let first = cursor; first < cursor + BATCH; first += MANY) {
      const values = contender.getMany!(lists[first / MANY])
      for (let index = 0; index < MANY; index++) wrong |= mark(values[index]) ^ expectedMark(draws[first + index])
    }
    finish(wrong)
  },
}

type Asynchronous = Exclude<keyof typeof synchronousOperations, 'mixed' | 'getMany'>

const asynchronousOperations: Record<Asynchronous, () => Promise<void>> = {
  hit: async () => {
    let wrong = 0
    for (let index = cursor; index < cursor + ASYNCHRONOUS_BATCH; index++) {
      const n = draws[index]
      wrong |= mark(await contender.get(keys[n])) ^ expectedMark(n)
    }
    finish(wrong)
  },
  hitFreshKey: async () => {
    let wrong = 0
    for (let index = cursor; index < cursor + ASYNCHRONOUS_BATCH; index++) {
      const n = draws[index]
      wrong |= mark(await contender.get(keyOf(n))) ^ expectedMark(n)
    }
    finish(wrong)
  },
  miss: async () => {
    let wrong = 0
    for (let index = cursor; index < cursor + ASYNCHRONOUS_BATCH; index++) {
      wrong |= (await contender.get(missing[draws[index]])) === undefined ? 0 : 1
    }
    finish(wrong)
  },
  set: async () => {
    const values = nextValues()
    for (let index = cursor; index < cursor + ASYNCHRONOUS_BATCH; index++) {
      const n = draws[index]
      await contender.set(keys[n], values[expectedMark(n)])
    }
    finish(0)
  },
}

function nextValues(): unknown[] {
  generation = (generation % GENERATIONS) + 1
  return pool[generation - 1]
}

function finish(wrong: number): void {
  if (wrong !== 0) throw new Error(`${name} returned a wrong value`)
  cursor = (cursor + batch) & cursorMask
}

/** Reads some of the keys of the last batch again, and compares the whole value. */
async function check(written: boolean): Promise<void> {
  for (let back = 1; back <= CHECKED; back++) {
    const n = draws[(cursor - back) & cursorMask]
    const value = await contender.get(keys[n])
    const right = written
      ? JSON.stringify(value) === JSON.stringify(valueOf(kind, n, generation))
      : isValueOf(kind, n, value)
    if (!right) throw new Error(`${name} has a wrong value for ${keys[n]}: ${String(value)}`)
  }
}
