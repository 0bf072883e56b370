import { describe, expect, test } from 'vitest'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import {
  BLOCK_WORDS,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  SEGMENT_DEPTH,
} from '../../src/format/layout.js'
import { findPlace } from '../../src/public/handle.js'
import { Clock } from '../support/clock.js'
import { Random } from '../support/random.js'
import { walkRegion } from '../support/region-walk.js'
import { lineups, scaled, seed } from '../support/run.js'

type AnyMap = ConcurrentMap<Key, unknown>

/** Every figure of `stats()` and `health()` that tells what there is, held against a walk of the test's own. */
function checkFigures(map: AnyMap, where: string): void {
  const { region } = findPlace(map.handle)
  const walked = walkRegion(new Int32Array(region))
  // What was counted is for the tests below.
  const { threads, ...stats } = map.stats()
  const NAMES = [
    'name',
    'loadTimes',
    'counters',
    'hotKeys',
    'file',
    'shapes',
    'breaker',
    'operations',
    'contention',
    'mostContended',
  ]
  const figuresOf = Object.fromEntries(Object.entries(stats).filter(([name]) => !NAMES.includes(name)))
  const { pagesInUse } = walked
  const heap = region.byteLength - walked.memory.overhead
  expect(figuresOf, where).toEqual({
    ...{ entries: walked.entries, tombstones: walked.tombstones, segments: walked.segments },
    ...{ directoryDepth: walked.directoryDepth, memory: walked.memory, pagesInUse, pagesTotal: heap / 4096 },
    ...{ bytesTotal: region.byteLength, bytesFree: heap - pagesInUse * 4096 },
    bytesInUse: region.byteLength - heap + pagesInUse * 4096,
  })
  expect(
    threads.map(({ pid, threadId }) => ({ pid, threadId })),
    where,
  ).toEqual(walked.threads)

  const { verdicts } = map.health()
  const figures = Object.fromEntries(verdicts.map((verdict) => [verdict.name, verdict.figures]))
  const { live, expired, tombstones } = figures.liveRatio
  expect({ all: live + expired, tombstones }, where).toEqual({ all: walked.entries, tombstones: walked.tombstones })
  const { memoryAmplification: memory, indexAmplification: index, lostMemory: lost } = figures
  expect(memory.bytesHeld, where).toBe(pagesInUse * 4096)
  expect(memory.bytesEviction, where).toBe(walked.memory.eviction)
  if (expired === 0) expect(memory.bytesLive, where).toBe(walked.bytesOfEntries)
  expect(index.live, where).toBe(live)
  // As many bytes as segments and arrays fill, while stats() tells those of their blocks.
  expect(index.bytesIndex, where).toBeLessThanOrEqual(walked.memory.index)
  expect(index.bytesIndex, where).toBeGreaterThan(walked.memory.index / 2)
  const reached = walked.memory.entries + walked.memory.index + walked.memory.eviction + walked.memory.shapes
  expect(lost, where).toMatchObject({ bytesReached: reached, blocksLost: 0 })
  expect(lost.bytesReached + lost.bytesFree + lost.bytesCached, where).toBe(lost.bytesAllocated)
}

describe.each(lineups)(`figures are what a walk finds ($name, MAPSAFE_SEED=${seed})`, (lineup) => {
  const engines = [lineup.engineOf(0), lineup.engineOf(1)]

  test.each([1, 2, 3])('in a map after a random history, %i', (round) => {
    const random = new Random(seed + round)
    using map: AnyMap = new ConcurrentMap<Key, unknown>({ engine: engines[0], maxBytes: 8 * 2 ** 20 })
    const other: AnyMap = ConcurrentMap.attach<Key, unknown>(map.handle, { engine: engines[1] })
    const model = new Set<Key>()
    const counted = { hits: 0, misses: 0, replaced: 0, deleted: 0 }
    const before = map.stats().counters
    let writes = 0
    const steps = scaled(8000)
    for (let i = 0; i < steps; i++) {
      const one = random.pick([map, other])
      const key = random.below(2000)
      const draw = random.below(100)
      if (draw < 45) {
        one.set(key, random.chance(0.02) ? 'x'.repeat(random.below(60_000)) : 'x'.repeat(random.below(300)))
        writes++
        if (model.has(key)) counted.replaced++
        model.add(key)
      } else if (draw < 55) {
        one.increment(`n${key}`)
        writes++
        if (model.has(`n${key}`)) counted.replaced++
        model.add(`n${key}`)
      } else if (draw < 75) {
        const isThere = one.get(key) !== undefined
        expect(isThere).toBe(model.has(key))
        counted[isThere ? 'hits' : 'misses']++
      } else if (draw < 99) {
        writes++
        if (one.delete(key)) counted.deleted++
        model.delete(key)
      } else if (random.chance(0.02)) {
        counted.deleted += model.size
        one.clear()
        model.clear()
      }
      if (i % 1000 === 999) checkFigures(map, `step ${i}`)
    }
    other.close()
    checkFigures(map, 'the end')
    const { counters, operations, entries, contention, mostContended } = map.stats()
    expect(entries).toBe(model.size)
    for (const name of ['hits', 'misses', 'replaced', 'deleted'] as const) {
      expect(counters[name] - before[name], name).toBe(counted[name])
    }
    const { expired, evicted, admitted, rejected, loads, loadFailures } = counters
    expect({ expired, evicted, admitted, rejected, loads, loadFailures }).toEqual({
      ...{ expired: 0, evicted: 0, admitted: 0, rejected: 0, loads: 0, loadFailures: 0 },
    })
    // Sixteen at a time, by each of two threads.
    expect(operations).toBeLessThanOrEqual(writes)
    expect({ contention, mostContended }).toEqual({ contention: 0, mostContended: undefined })
  })

  test.each([1, 2])('in a cache that evicts and in which entries expire, %i', (round) => {
    const random = new Random(seed + round)
    const bounds = round === 1 ? { maxEntries: 500 } : {}
    using cache = new ConcurrentCache<Key, unknown>({ engine: engines[0], maxBytes: 4 * 2 ** 20, ...bounds })
    const other = ConcurrentCache.attach<Key, unknown>(cache.handle, { engine: engines[1] })
    const clock = new Clock(cache.handle)
    let inserted = 0
    const steps = scaled(6000)
    for (let i = 0; i < steps; i++) {
      const one = random.pick([cache, other])
      const key = random.below(3000)
      const draw = random.below(100)
      if (draw < 70) {
        const options = random.chance(0.3) ? { ttl: 1 + random.below(100_000) } : undefined
        if (one.setIfAbsent(key, 'x'.repeat(random.below(6000)), options)) inserted++
      } else if (draw < 85) one.get(key)
      else if (draw < 99) one.delete(key)
      else clock.advance(random.below(20_000))
      if (i % 1000 === 999) checkFigures(cache, `step ${i}`)
    }
    other.close()
    checkFigures(cache, 'the end')
    const { entries, counters } = cache.stats()
    expect(counters.replaced).toBe(0)
    expect(counters.evicted).toBeGreaterThan(0)
    expect(entries + counters.deleted + counters.expired + counters.evicted).toBe(inserted)
  })
})

describe.each(lineups)('figures of a damaged region ($name)', (lineup) => {
  const engines = [lineup.engineOf(0), lineup.engineOf(1)]
  const EXTREMES = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 0x1000, 0x10000]

  /** Every number in a report, with its path. */
  function* numbersIn(report: unknown, path: string): Generator<[string, number]> {
    if (typeof report === 'number') yield [path, report]
    else if (typeof report === 'object' && report !== null) {
      for (const [name, part] of Object.entries(report)) yield* numbersIn(part, `${path}.${name}`)
    }
  }

  function checkDamaged(map: AnyMap, bytes: number, where: string): void {
    // Ids of processes and threads are what the memory says.
    const stats = { ...map.stats(), threads: [] }
    for (const [path, figure] of numbersIn(stats, 'stats')) {
      expect(Number.isFinite(figure) && figure >= 0, `${where}: ${path} is ${figure}`).toBe(true)
    }
    const { memory } = stats
    expect(
      Object.values<number>({ ...memory }).reduce((sum, part) => sum + part),
      where,
    ).toBe(bytes)
    for (const name of ['bytesInUse', 'bytesFree', 'entries', 'segments', 'tombstones'] as const) {
      expect(stats[name], `${where}: ${name}`).toBeLessThanOrEqual(bytes)
    }
    for (const [path, figure] of numbersIn(map.health(), 'health')) {
      expect(Number.isFinite(figure) && figure >= 0, `${where}: ${path} is ${figure}`).toBe(true)
    }
  }

  test.each(['map', 'cache'])('are none below 0, and add up to the length of the memory (%s)', (kind) => {
    const bytes = 2 ** 20
    const random = new Random(seed)
    const options = { engine: engines[0], maxBytes: bytes, nearCache: false } as const
    const map: AnyMap =
      kind === 'map' ? new ConcurrentMap<Key, unknown>(options) : new ConcurrentCache<Key, unknown>(options)
    const other: AnyMap =
      map instanceof ConcurrentCache
        ? ConcurrentCache.attach<Key, unknown>(map.handle, { engine: engines[1] })
        : ConcurrentMap.attach<Key, unknown>(map.handle, { engine: engines[1] })
    for (let i = 0; i < 1200; i++) map.set(i, 'x'.repeat(i % 200))
    for (let i = 0; i < 1200; i += 3) map.delete(i)
    const words = new Int32Array(findPlace(map.handle).region)
    const sound = words.slice()
    // Each word of the header that the figures could be made of, and then anything anywhere.
    for (let word = 0; word < 256; word++) {
      for (const value of EXTREMES) {
        words[word] = value
        checkDamaged(word % 2 === 0 ? map : other, bytes, `header word ${word} is ${value}`)
        words[word] = sound[word]
      }
    }
    // A directory without end, all of whose entries lead to one segment.
    const directory = words[HEADER_DIRECTORY] * BLOCK_WORDS
    const segment = words[directory + DIRECTORY_ENTRIES]
    words.fill(segment, directory + DIRECTORY_ENTRIES)
    words[directory + DIRECTORY_DEPTH] = words[segment * BLOCK_WORDS + SEGMENT_DEPTH] = 24
    for (const each of [map, other]) checkDamaged(each, bytes, 'a long directory')
    words.set(sound)
    for (let round = 0; round < scaled(100); round++) {
      for (let i = 0; i < 50; i++) {
        const within = random.chance(0.5) ? 48_000 : words.length
        words[random.below(within)] = random.pick([...EXTREMES, words[random.below(words.length)]])
      }
      for (const each of [map, other]) checkDamaged(each, bytes, `MAPSAFE_SEED=${seed}, round ${round}`)
      words.set(sound)
    }
    for (const each of [map, other]) each.close()
  })
})
