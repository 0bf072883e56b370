import { setImmediate } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { RESULT_HOME } from '../../src/engine/engine.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { ConcurrentMap, type MapHandle } from '../../src/index.js'
import {
  BLOCK_WORDS,
  BUCKET_VERSION,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  MIN_REGION_BYTES,
  SEGMENT_BYTES,
  SEGMENT_CONTENTION,
  SEGMENT_MUTEX,
  SEGMENT_OPERATIONS,
  SEGMENT_WINDOW,
  SLOTS_PER_BUCKET,
} from '../../src/format/layout.js'
import { Crew } from '../support/crew.js'
import { neighbouringKeys } from '../support/neighbouring-keys.js'
import { lineups, scaled } from '../support/run.js'
import { expectSound } from '../support/sound.js'
import type * as tasks from './hot-segments.tasks.js'

const WORKERS = 4
const WINDOW = 256
const HOT_SHARE = 32
/** The owner mark of a thread that does not exist. */
const ELSEWHERE = 127

const crew = new Crew<typeof tasks>(new URL('hot-segments.tasks.ts', import.meta.url), WORKERS)
afterAll(() => crew.dismiss())

/** First words of the home bucket of `key` and of the segment around it. */
function locate(handle: MapHandle, key: string): { home: number; segment: number } {
  const engine = new TypescriptEngine(handle.region!)
  engine.peek(key)
  const home = engine.result[RESULT_HOME] * BLOCK_WORDS
  const { words } = engine
  const directory = words[HEADER_DIRECTORY] * BLOCK_WORDS
  const segments = words.subarray(directory + DIRECTORY_ENTRIES).subarray(0, 2 ** words[directory + DIRECTORY_DEPTH])
  engine.close()
  const around = segments.find((block) => {
    const first = block * BLOCK_WORDS
    return first < home && home < first + SEGMENT_BYTES / 4
  })
  return { home, segment: around! * BLOCK_WORDS }
}

/** Waits until a word is no longer `value`, or `writing`, which would change it, has ended. */
async function changeOf(words: Int32Array, index: number, value: number, writing: Promise<unknown>): Promise<void> {
  const writer = { isDone: false }
  const end = (): void => void (writer.isDone = true)
  void writing.then(end, end)
  while (Atomics.load(words, index) === value && !writer.isDone) await setImmediate()
}

describe.each(lineups)('hot segments ($name)', (lineup) => {
  /**
   * Lets a worker's write of `key` meet its bucket taken, as the last contention of a window with `operations` writes;
   * returns what the worker found before and after its write.
   */
  async function endWindow(map: ConcurrentMap<string, number>, key: string, operations: number): Promise<unknown> {
    const words = new Int32Array(map.handle.region!)
    const { home, segment } = locate(map.handle, key)
    const last = Math.floor(words[segment + SEGMENT_CONTENTION] / WINDOW) * WINDOW + WINDOW - 1
    words[segment + SEGMENT_CONTENTION] = last
    words[segment + SEGMENT_OPERATIONS] = words[segment + SEGMENT_WINDOW] + operations
    Atomics.add(words, home + BUCKET_VERSION, 1) // taken
    const writing = crew.run({ lineup, handle: map.handle, workers: 1 }, 'exchange', key, 2)
    await changeOf(words, segment + SEGMENT_CONTENTION, last, writing)
    Atomics.add(words, home + BUCKET_VERSION, 1)
    return (await writing)[0]
  }

  function fill(map: ConcurrentMap<string, number>, keys: number): void {
    for (let i = 0; i < keys; i++) map.set(`key ${i}`, 1)
  }

  test('a segment whose writes collide is split before it is full, and the write that splits it is none the worse', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(1) })
    fill(map, 20)
    const { segments } = map.stats()
    expect(await endWindow(map, 'key 7', 100)).toEqual([1, 2])
    expect(map.stats().segments).toBe(segments + 1)
    for (let i = 0; i < 20; i++) expect(map.get(`key ${i}`)).toBe(i === 7 ? 2 : 1)
    expect(map.stats().mostContended!.contention).toBeGreaterThanOrEqual(WINDOW)
    expectSound(map)
  })

  test('a segment of which few writes collide is left alone', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(1) })
    fill(map, 20)
    const { segments } = map.stats()
    expect(await endWindow(map, 'key 7', WINDOW * HOT_SHARE)).toEqual([1, 2])
    expect(map.stats().segments).toBe(segments)
    expect(await endWindow(map, 'key 7', WINDOW * HOT_SHARE - 16)).toEqual([2, 2])
    expect(map.stats().segments).toBe(segments + 1)
  })

  test('a wait for the mutex counts, and relief brings home the key whose writers queued for it', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(1) })
    const [crowd, next] = neighbouringKeys(map.handle, [SLOTS_PER_BUCKET + 1, SLOTS_PER_BUCKET])
    // The last one found home and neighbour full.
    for (const key of [...next, ...crowd]) map.set(key, 1)
    const [spilled] = crowd.slice(-1)
    const { segments } = map.stats()
    const words = new Int32Array(map.handle.region!)
    const { segment } = locate(map.handle, spilled)
    words[segment + SEGMENT_CONTENTION] = WINDOW - 1
    Atomics.store(words, segment + SEGMENT_MUTEX, ELSEWHERE)
    const writing = crew.run({ lineup, handle: map.handle, workers: 1 }, 'exchange', spilled, 2)
    await changeOf(words, segment + SEGMENT_CONTENTION, WINDOW - 1, writing)
    Atomics.store(words, segment + SEGMENT_MUTEX, 0)
    expect((await writing)[0]).toEqual([1, 2])
    expect(map.stats().segments).toBe(segments + 1)
    for (const key of [...next, ...crowd]) expect(map.get(key)).toBe(key === spilled ? 2 : 1)
    expectSound(map)
  })

  test('a lone key is not parted from itself', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(1) })
    fill(map, 1)
    const { segments } = map.stats()
    expect(await endWindow(map, 'key 0', 0)).toEqual([1, 2])
    expect(map.stats().segments).toBe(segments)
  })

  test('relief stops when segments take a sixteenth of the memory', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(1), maxBytes: MIN_REGION_BYTES })
    fill(map, 300)
    for (let i = 0; i < 100; i++) await endWindow(map, `key ${i}`, 0)
    const { segments, bytesTotal, directoryDepth } = map.stats()
    expect(segments).toBe(Math.floor(bytesTotal / 16 / SEGMENT_BYTES) + 1)
    expect(2 ** directoryDepth).toBeLessThanOrEqual(16 * segments + 64)
    expectSound(map)
  })

  test('counters stay right while workers fight over few of them', async () => {
    using map = new ConcurrentMap<string, number>({ engine: lineup.engineOf(0), maxBytes: MIN_REGION_BYTES })
    const { handle } = map
    const added = await crew.run({ lineup, handle }, 'countTogether', 6, scaled(20_000))
    let sum = 0
    for (const value of map.values()) sum += value
    expect(sum).toBe(added.reduce((all, one) => all + one, 0))
    const { operations, segments, bytesTotal } = map.stats()
    expect(operations).toBeGreaterThan(sum - WORKERS * 16)
    expect(operations).toBeLessThanOrEqual(sum)
    expect(segments).toBeLessThanOrEqual(bytesTotal / 16 / SEGMENT_BYTES + WORKERS)
    expectSound(map)
  })
})
