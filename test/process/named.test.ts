import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap } from '../../src/index.js'
import { nearAndFarLineups, lineups } from '../support/run.js'
import { Scratch } from '../support/scratch.js'
import { workerCode } from '../support/worker-code.js'
import { until } from '../support/patience.js'
import type { Order, Outcome } from './named.worker.js'

// The tests run in the main thread of their process, which alone makes maps in memory by name.

const code = workerCode(new URL('named.worker.ts', import.meta.url))
const workers: Worker[] = []
let names = 0
const freshName = (): string => `map ${names++}`

afterEach(async () => {
  await Promise.all(workers.splice(0).map(async (worker) => await worker.terminate()))
})

async function start(): Promise<Worker> {
  const worker = new Worker(code)
  workers.push(worker)
  await once(worker, 'message')
  return worker
}

async function order(worker: Worker, what: Order): Promise<Outcome> {
  worker.postMessage(what)
  const [outcome] = (await once(worker, 'message')) as [Outcome]
  return outcome
}

const small = { maxBytes: 2 ** 20 }

describe.each(nearAndFarLineups)('a map by name ($name)', (lineup) => {
  const own = { engine: lineup.engineOf(0), ...lineup.attach }
  const others = { engine: lineup.engineOf(1), ...lineup.attach }

  test('is one for the main thread, and for workers started before and after, and theirs', async () => {
    const name = freshName()
    const early = await start()
    using map = ConcurrentMap.open<string, number>(name, { ...small, ...own })
    expect(await order(early, { name, options: others })).toEqual({ sum: 1 })
    const late = await start()
    expect(await order(late, { name, options: { ...small, ...others } })).toEqual({ sum: 2 })
    expect(await order(late, { name, times: 3 })).toEqual({ sum: 5 })
    expect(map.get('sum')).toBe(5)
    expect(await order(early, { name, child: code.href })).toEqual({ sum: 6 })
    await until(
      'the worker of a worker counts',
      () => map.get('sum') === 7,
      () => map.get('sum'),
    )
  })

  test('is one where many ask for it while it is being opened', async () => {
    const threads = await Promise.all([start(), start(), start(), start()])
    for (let round = 0; round < 5; round++) {
      const name = freshName()
      const outcomes = threads.map(async (worker) => await order(worker, { name, options: others, times: 100 }))
      await new Promise((resolve) => setTimeout(resolve, round * 5))
      using map = ConcurrentMap.open<string, number>(name, { ...small, ...own })
      map.increment('sum', 100)
      const sums = (await Promise.all(outcomes)).map(({ sum }) => sum!)
      expect(map.get('sum')).toBe(500)
      expect(Math.max(...sums)).toBeLessThanOrEqual(500)
      expect(map.stats().threads.length).toBeGreaterThanOrEqual(5)
    }
  })
})

test('several calls in a thread give one object, until it is closed; its entries stay', () => {
  const name = freshName()
  const first = ConcurrentMap.open<string, number>(name, small)
  expect(ConcurrentMap.open(name)).toBe(first)
  expect(ConcurrentMap.open(name, { maxBytes: 2 ** 20 })).toBe(first)
  first.set('a', 1).close()
  using second = ConcurrentMap.open<string, number>(name)
  expect(second === first).toBe(false)
  expect(second.get('a')).toBe(1)
  class Counts extends ConcurrentMap<string, number> {}
  using counts = Counts.open(name)
  expect(counts).toBeInstanceOf(Counts)
  expect(Counts.open(name)).toBe(counts)
  expect(counts.get('a')).toBe(1)
  expect(inspect(second)).toContain(`name: '${name}'`)
  expect(JSON.stringify(second)).toContain(`"name":"${name}"`)
})

test('options that contradict are refused, with both, and change nothing', async () => {
  const name = freshName()
  using cache = ConcurrentCache.open<string, number>(name, { ...small, ttl: 5000, engine: 'typescript' })
  const worker = await start()
  const refused: [ConcurrentCacheOptionsOf, RegExp][] = [
    [{ maxBytes: 2 ** 21 }, /maxBytes asks for 2097152, .* was opened with 1048576/],
    [{ ttl: 6000 }, /ttl asks for 6000, .* was opened with 5000/],
    [{ maxEntries: 10 }, /maxEntries asks for 10, .* was opened without maxEntries/],
    [{ file: '/tmp/other.map' }, /file asks for "\/tmp\/other.map", .* was opened without file/],
  ]
  for (const [options, message] of refused) {
    const code = 'ERR_MAPSAFE_OPTIONS'
    const refusal = expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error
    expect(() => ConcurrentCache.open(name, options)).toThrow(refusal)
    expect(await order(worker, { name, options, isCache: true })).toEqual(refusal)
  }
  for (const [options, message] of [
    [{ engine: 'auto' }, /engine asks for "auto", .* was opened with "typescript"/],
    [{ freeze: false }, /freeze asks for false, .* was opened with true/],
    [{ nearCache: false }, /nearCache.maxEntries asks for 0, .* was opened with 8192/],
  ] as const) {
    expect(() => ConcurrentCache.open(name, options as object)).toThrow(message)
  }
  expect(() => ConcurrentMap.open(name)).toThrow(/is that of a ConcurrentCache, and was asked for as a ConcurrentMap/)
  for (const wrong of ['', undefined, 5]) {
    expect(() => ConcurrentMap.open(wrong as string)).toThrow(
      expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS' }) as Error,
    )
  }
  expect(existsSync('/tmp/other.map')).toBe(false)
  expect(await order(worker, { name, isCache: true, options: { ttl: 5000 } })).toEqual({ sum: 1 })
  expect(cache.stats().threads).toHaveLength(2)
})

test('so are a lifetime by reads and its jitter, and what a thread chose for its loads and its reports', async () => {
  const name = freshName()
  const made = { slidingTtl: 5000, ttlJitter: 0.25, breaker: { threshold: 0.1 }, loadDefaults: { timeout: 7 } }
  const reports = { guard: { slowUpdateMs: 3 }, lostUpdates: false, trustFile: true }
  using cache = ConcurrentCache.open<string, number>(name, { ...small, ...made, ...reports })
  const refusal = (message: RegExp): Error =>
    expect.objectContaining({ code: 'ERR_MAPSAFE_OPTIONS', message: expect.stringMatching(message) as string }) as Error
  const worker = await start()
  for (const [options, message] of [
    [{ slidingTtl: 6000 }, /slidingTtl asks for 6000, .* was opened with 5000/],
    [{ ttl: 6000 }, /ttl asks for 6000, .* was opened with Infinity/],
    [{ ttlJitter: 0 }, /ttlJitter asks for 0, .* was opened with 0.25/],
  ] as const) {
    expect(() => ConcurrentCache.open(name, options)).toThrow(refusal(message))
    expect(await order(worker, { name, options, isCache: true })).toEqual(refusal(message))
  }
  for (const [options, message] of [
    [{ breaker: true }, /breaker.threshold asks for 0.5, .* was opened with 0.1/],
    [{ breaker: false }, /breaker asks for false, .* was opened with true/],
    [{ loadDefaults: {} }, /loadDefaults.timeout asks for 30000, .* was opened with 7/],
    [
      { loadDefaults: { ...made.loadDefaults, ttl: 8 } },
      /loadDefaults.ttl asks for 8, .* was opened without loadDefaults.ttl/,
    ],
    [{ guard: false }, /guard asks for false, .* was opened with true/],
    [{ guard: { slowUpdateMs: 4 } }, /guard.slowUpdateMs asks for 4, .* was opened with 3/],
    [{ lostUpdates: true }, /lostUpdates asks for true, .* was opened with false/],
    [{ trustFile: false }, /trustFile asks for false, .* was opened with true/],
  ] as const) {
    expect(() => ConcurrentCache.open(name, options)).toThrow(refusal(message))
  }
  expect(ConcurrentCache.open(name, { ...small, ...made, ...reports })).toBe(cache)
  expect(await order(worker, { name, isCache: true, options: made })).toEqual({ sum: 1 })
  using plain = ConcurrentCache.open<string, number>(freshName(), small)
  const plainName = (plain.toJSON() as { name: string }).name
  expect(() => ConcurrentCache.open(plainName, { ttlJitter: 0.5 })).toThrow(
    refusal(/ttlJitter asks for 0.5, .* with 0\./),
  )
  expect(() => ConcurrentCache.open(plainName, { slidingTtl: 5 })).toThrow(refusal(/without slidingTtl/))
  expect(ConcurrentCache.open(plainName, { ttlJitter: 0, ttl: Infinity })).toBe(plain)
})

test('a worker has the reports that it asks for', async () => {
  const name = freshName()
  using map = ConcurrentMap.open<string, number>(name, { ...small, lostUpdates: false, guard: false })
  map.set('sum', 1)
  const worker = await start()
  expect(await order(worker, { name, options: { lostUpdates: true }, reported: 'mapsafe.lost-update' })).toEqual({
    sum: 8,
    reports: 1,
  })
  const other = await start()
  const guarded = { name, options: { guard: { largeValueBytes: 1 } }, reported: 'mapsafe.guard' }
  expect(await order(other, guarded)).toEqual({ sum: 8, reports: 1 })
})

type ConcurrentCacheOptionsOf = NonNullable<Order['options']>

test('a worker that asks for a name which the main thread has not given is refused, and makes no map', async () => {
  const worker = await start()
  const name = freshName()
  const refusal = await order(worker, { name })
  expect(refusal).toMatchObject({ code: 'ERR_MAPSAFE_NAME' })
  expect(refusal.message).toContain(name)
  using map = ConcurrentMap.open<string, number>(name, small)
  expect(await order(worker, { name })).toEqual({ sum: 1 })
  expect(map.get('sum')).toBe(1)
})

test.each(lineups)('with a file, any thread may come first ($name)', async (lineup) => {
  using scratch = new Scratch()
  const file = scratch.file()
  const name = freshName()
  const options = { ...small, file, engine: lineup.engineOf(1) }
  const [first, second] = await Promise.all([start(), start()])
  const sums = await Promise.all([first, second].map(async (worker) => await order(worker, { name, options })))
  expect(new Set(sums.map(({ sum }) => sum))).toEqual(new Set([1, 2]))
  using map = ConcurrentMap.open<string, number>(name, { file, engine: lineup.engineOf(0) })
  expect(map.get('sum')).toBe(2)
  symlinkSync(file, `${file}.link`)
  expect(ConcurrentMap.open(name, { file: `${file}.link` })).toBe(map)
  rmSync(`${file}.link`)
})

test.each(lineups)('with a file, it is one for several processes, whichever comes first ($name)', async (lineup) => {
  using scratch = new Scratch()
  const file = scratch.file()
  const name = freshName()
  const options = { ...small, file, engine: lineup.engineOf(1) }
  const processes = Array.from({ length: 2 }, () => fork(code))
  try {
    await Promise.all(processes.map(async (child) => (await once(child, 'message')) as unknown[]))
    const ask = async (child: ChildProcess, what: Order): Promise<Outcome> => {
      child.send(what)
      const [outcome] = (await once(child, 'message')) as [Outcome]
      return outcome
    }
    // Both make the file, and open it by the same name, at once.
    const outcomes = await Promise.all(processes.map(async (child) => await ask(child, { name, options, times: 500 })))
    using map = ConcurrentMap.open<string, number>(name, { file, engine: lineup.engineOf(0) })
    expect(map.get('sum')).toBe(1000)
    expect(Math.max(...outcomes.map(({ sum }) => sum!))).toBe(1000)
    expect(map.increment('sum', 5)).toBe(1005)
    expect(await ask(processes[0], { name, options: { file } })).toEqual({ sum: 1006 })
    // The name is a process's own: another one may give the same file another name, and finds the same map.
    expect(await ask(processes[1], { name: freshName(), options: { file } })).toEqual({ sum: 1007 })
    const refusal = await ask(processes[1], { name, options: { file, maxBytes: 2 ** 21 } })
    expect(refusal).toMatchObject({ code: 'ERR_MAPSAFE_OPTIONS' })
    expect(refusal.message).toMatch(/maxBytes asks for 2097152, .* was opened with 1048576/)
    expect(map.get('sum')).toBe(1007)
  } finally {
    for (const child of processes) child.kill('SIGKILL')
  }
})
