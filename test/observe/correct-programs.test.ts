/* eslint mapsafe/no-get-then-set: off, mapsafe/prefer-increment: off, mapsafe/prefer-set-if-absent: off, mapsafe/no-unchecked-result: off -- mistakes are made on purpose */
import { describe, expect, test } from 'vitest'
import { advanceClock, ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { Random } from '../support/random.js'
import { nearAndFarLineups, scaled, seed, type Lineup } from '../support/run.js'
import { Losses } from './losses.js'

// Threads are map objects here, and one thread runs a step of any of them at a time: so the same seed finds the same.

type Value = number | string | { n: number; parts?: readonly object[] }
type Shared = ConcurrentMap<Key, Value>

interface Worker {
  readonly map: Shared
  /** Number of this worker, from 0. */
  readonly index: number
  readonly random: Random
}

/** A program that yields where other workers may have their turn. */
type Program = (worker: Worker) => Generator<void, void, undefined>

const numberOf = (value: unknown): number =>
  typeof value === 'number' ? value : typeof value === 'object' && value !== null ? (value as { n: number }).n : 0

function asCache(map: Shared): ConcurrentCache<Key, Value> {
  return map instanceof ConcurrentCache ? (map as ConcurrentCache<Key, Value>) : expect.fail('it is no cache')
}

/** Programs that lose nothing. The keys of each begin with its name. */
const correct: Record<string, Program> = {
  *increment({ map, random }) {
    map.get(`increment ${random.below(3)}`)
    yield
    map.increment(`increment ${random.below(3)}`, random.below(9))
  },
  *update({ map, random }) {
    const key = `update ${random.below(3)}`
    map.get(key)
    yield
    map.update(key, (seen) => ({ n: numberOf(seen) + 1 }))
  },
  *byVersion({ map, random }) {
    const key = `byVersion ${random.below(2)}`
    for (let isDone = false; !isDone;) {
      const { value, version } = map.getEntry(key) ?? { value: 0, version: 0 }
      yield
      isDone = map.setIfVersion(key, { n: numberOf(value) + 1 }, version)
    }
  },
  *byValue({ map, random }) {
    const key = `byValue ${random.below(2)}`
    for (let isDone = false; !isDone;) {
      const value = map.get(key)
      yield
      isDone = value === undefined ? map.setIfAbsent(key, 1) : map.compareAndSwap(key, value, numberOf(value) + 1)
    }
  },
  /** One writer for each key; the others read. It keeps no copy, or keeps one in its own memory. */
  *singleWriter({ map, index, random }) {
    const key = `singleWriter ${index}`
    const seen = map.get(key)
    map.get(`singleWriter ${random.below(4)}`)
    yield
    map.set(key, { n: numberOf(seen) + 1, parts: [{ index }] })
    map.getMany([key, `singleWriter ${random.below(4)}`])
    yield
    if (random.chance(0.3)) map.set(key, { ...(map.get(key) as { n: number }), n: 0 })
    yield
    if (random.chance(0.2)) map.setMany([[key, random.below(9)]])
    if (random.chance(0.2)) map.delete(key)
    yield
    if (random.chance(0.2)) map.replace(key, 'text')
  },
  /** The last one to write wins, and no one reads before. */
  *lastWins({ map, index }) {
    map.set('lastWins', index)
    yield
    map.setMany([['lastWins', { n: index }]])
  },
  *insertOnce({ map, index, random }) {
    const key = `insertOnce ${random.below(20)}`
    map.get(key)
    yield
    map.getOrInsert(key, index)
    map.getOrInsertComputed(key, () => index)
    yield
    map.setIfAbsent(key, index)
    if (random.chance(0.1)) map.delete(key)
  },
  *swap({ map, random }) {
    const key = `swap ${random.below(2)}`
    map.get(key)
    yield
    map.swap(key, { n: random.below(9) })
  },
  /** A lock that is a key: who inserted it may read and write blindly until it deletes it. */
  *lock({ map, random, index }) {
    const which = random.below(2)
    while (!map.setIfAbsent(`lock ${which}`, index)) yield
    const value = map.get(`locked ${which}`)
    yield
    map.set(`locked ${which}`, { n: numberOf(value) + 1, parts: [{}] })
    if (random.chance(0.5)) {
      yield
      const cart = map.get(`locked ${which}`) as { n: number }
      yield
      map.set(`locked ${which}`, { ...cart, n: cart.n + 1 })
    }
    map.delete(`lock ${which}`)
  },
  /** A job belongs to who took it, and goes back with what was done. */
  *jobs({ map, random }) {
    const key = `job ${random.below(4)}`
    const job = map.take(key)
    yield
    map.setIfAbsent(key, { n: numberOf(job) + 1 })
  },
  *walk({ map, index }) {
    let sum = 0
    for (const [, value] of map) sum += numberOf(value)
    yield
    map.set(`sum ${index}`, sum)
    map.deleteWhere((value) => value === 'text' && sum < 0)
  },
}

/** Programs of a cache, in which keys go by themselves. */
const correctInCache: Record<string, Program> = {
  ...correct,
  /** A full cache may evict the key that is a lock, so it is none. */
  *lock() {
    yield
  },
  /** Fills in what is missing; two may do the same work, but lose nothing. */
  *fill({ map, random }) {
    const key = `fill ${random.below(9)}`
    if (map.get(key) !== undefined) return
    yield
    asCache(map).set(key, { n: 7 }, { ttl: 50 })
  },
  /** One writer, and others that keep its entry alive. */
  *touch({ map, index, random }) {
    const cache = asCache(map)
    const seen = cache.get(`touch ${index}`)
    cache.touch(`touch ${random.below(4)}`, 1000)
    yield
    cache.set(`touch ${index}`, { ...(typeof seen === 'object' ? seen : {}), n: numberOf(seen) + 1 }, { ttl: 1000 })
  },
  *time({ map, random }) {
    if (random.chance(0.2)) advanceClock(asCache(map), 30)
    yield
  },
  /** Drives other entries out. */
  *flood({ map, random }) {
    for (let i = 0; i < 8; i++) map.set(`flood ${random.below(4000)}`, 'x'.repeat(random.below(4000)))
    yield
  },
}

/** Lets four workers run programs, a step at a time. @returns what was told */
function interleave(map: Shared, lineup: Lineup, programs: Program[], steps: number, freeze: boolean): string[] {
  using losses = new Losses()
  const random = new Random(seed)
  const workers = [0, 1, 2, 3].map((index): Worker => {
    const given = { ...lineup.attach, engine: lineup.engineOf(index), freeze: freeze as true }
    const lostUpdates = { keys: true, windowMs: Infinity, notes: random.pick([1, 4, 256]) }
    return {
      map:
        map instanceof ConcurrentCache
          ? ConcurrentCache.attach<Key, Value>(map.handle, { ...given, lostUpdates })
          : ConcurrentMap.attach<Key, Value>(map.handle, { ...given, lostUpdates }),
      index,
      random: random.fork(index),
    }
  })
  const turns = workers.map((worker) => random.pick(programs)(worker))
  for (let step = 0; step < steps; step++) {
    const index = random.below(turns.length)
    if (turns[index].next().done === true) turns[index] = random.pick(programs)(workers[index])
  }
  expect(map.verify().problems, `MAPSAFE_SEED=${seed}`).toEqual([])
  for (const worker of workers) worker.map.close()
  return losses.events.map(({ lost, key, readStack, writeStack }) =>
    [`${lost} of ${String(key)}`, ...readStack, 'then', ...writeStack].join('\n'),
  )
}

describe.each(nearAndFarLineups)('of correct programs ($name)', (lineup) => {
  test.each([true, false])('nothing is told, whatever the order of their steps (freeze: %s)', (freeze) => {
    console.info(`MAPSAFE_SEED=${seed}`)
    using map = new ConcurrentMap<Key, Value>({ maxBytes: 8 * 2 ** 20, engine: lineup.engineOf(0) })
    expect(interleave(map, lineup, Object.values(correct), scaled(4000), freeze)).toEqual([])
    using cache = new ConcurrentCache<Key, Value>({ maxBytes: 2 ** 20, engine: lineup.engineOf(0) })
    expect(interleave(cache, lineup, Object.values(correctInCache), scaled(4000), freeze)).toEqual([])
  })

  test('one wrong program among them is told, and it alone', () => {
    console.info(`MAPSAFE_SEED=${seed}`)
    using map = new ConcurrentMap<Key, Value>({ maxBytes: 8 * 2 ** 20, engine: lineup.engineOf(0) })
    const programs = [
      ...Object.values(correct),
      function* wrong(worker: Worker) {
        const value = worker.map.get('wrong')
        yield
        worker.map.set('wrong', numberOf(value) + 1)
      },
    ]
    const told = interleave(map, lineup, programs, scaled(4000), true)
    expect(told.length).toBeGreaterThan(0)
    for (const one of told) expect(one).toMatch(/of wrong\n/)
  })
})
