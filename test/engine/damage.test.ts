import { describe, expect, test } from 'vitest'
import {
  CORRUPT,
  COUNTER_RANGE,
  DONE,
  HASH_END,
  NO_LIMIT,
  PUT_ALWAYS,
  RESULT_ENTRY,
  RESULT_HOME,
  RESULT_OWNER_PID,
  RESULT_OWNER_THREAD,
  RESULT_STATUS,
  SCRATCH_TOO_SMALL,
  TIMEOUT,
  type Engine,
} from '../../src/engine/engine.js'
import { openEngine } from '../../src/engine/open.js'
import { bucketAt } from '../../src/format/bucket.js'
import { TypescriptEngine } from '../../src/engine/typescript/engine.js'
import { formatRegion } from '../../src/engine/typescript/format.js'
import { Heap } from '../../src/engine/typescript/memory/heap.js'
import { spanCapacity } from '../../src/format/size-classes.js'
import { Region } from '../../src/format/region.js'
import { takeOverFromDead } from '../../src/engine/typescript/threads/takeover.js'
import { abandon } from '../support/abandon.js'
import { markOf, threadRecordAt } from '../../src/format/thread-record.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_TAGS,
  BUCKET_VERSION,
  BUCKET_WORDS,
  DIRECTORY_ENTRIES,
  ENTRY_META,
  ENTRY_VALUE_LENGTH,
  HEADER_DIRECTORY,
  HEADER_HEAP_MUTEX,
  HEADER_HEAP_TOP,
  HEADER_JOURNAL,
  HEADER_JOURNAL_LENGTH,
  HEADER_PAGE_TABLE,
  HEADER_PARTIAL_SPANS,
  JOURNAL_CAPACITY,
  KEY_BOOLEAN,
  KEY_KIND_SHIFT,
  KEY_LATIN1,
  MIN_REGION_BYTES,
  PAGE_CARVED,
  PAGE_CLASS_SHIFT,
  PAGE_ENTRY_WORDS,
  PAGE_KIND,
  PAGE_RUN,
  PAGE_SPAN,
  RUN_BIN_COUNT,
  HEADER_RUN_BINS,
  SEGMENT_DEPTH,
  SEGMENT_MUTEX,
  SEGMENT_TOMBSTONES,
  SIZE_CLASSES,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_CLAIM,
  VALUE_KIND_SHIFT,
  VALUE_LATIN1,
  VALUE_NUMBER,
} from '../../src/format/layout.js'
import { FairClock } from '../support/fair-clock.js'
import { inspectMemory } from '../../src/inspect/memory.js'
import { Random } from '../support/random.js'
import { lineups, seed } from '../support/run.js'

const KEYS = 600

function makeFilled(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
  formatRegion(buffer)
  const engine = new TypescriptEngine(buffer)
  for (let i = 0; i < KEYS; i++) engine.put(i, VALUE_LATIN1, 'v'.repeat(i % 400), PUT_ALWAYS)
  for (let i = 0; i < KEYS; i += 3) engine.remove(i, PUT_ALWAYS)
  engine.put('large', VALUE_LATIN1, 'v'.repeat(50_000), PUT_ALWAYS)
  engine.close()
  return buffer
}

function segmentOf(words: Int32Array): number {
  return words[words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES]
}

/**
 * Words that lead somewhere or tell a length; none that make a writer wait, which is bounded but would make a test
 * long.
 */
const targets: Record<string, (words: Int32Array, random: Random) => number> = {
  'the directory': () => HEADER_DIRECTORY,
  'a directory array': (words, random) => words[HEADER_DIRECTORY] * BLOCK_WORDS + random.pick([0, 4, 5]),
  "a segment's depth": (words) => segmentOf(words) * BLOCK_WORDS + SEGMENT_DEPTH,
  "a segment's tombstone count": (words) => segmentOf(words) * BLOCK_WORDS + SEGMENT_TOMBSTONES,
  "a bucket's tags and slots": (words, random) =>
    bucketAt(segmentOf(words), random.below(ALL_BUCKETS)) + BUCKET_TAGS + random.below(BUCKET_WORDS - BUCKET_TAGS),
  "an entry's header": (words, random) => {
    const slot = bucketAt(segmentOf(words), random.below(ALL_BUCKETS)) + 5 + random.below(11)
    const entry = (words[slot] & 0x7fffffff) * BLOCK_WORDS
    return entry + random.pick([0, ENTRY_META, ENTRY_VALUE_LENGTH])
  },
  'the heap top': () => HEADER_HEAP_TOP,
  'a list head of the heap': (_, random) =>
    random.chance(0.5)
      ? HEADER_RUN_BINS + random.below(RUN_BIN_COUNT)
      : HEADER_PARTIAL_SPANS + random.below(SIZE_CLASSES),
  'a page descriptor': (words, random) =>
    words[HEADER_PAGE_TABLE] * BLOCK_WORDS + random.below(60) * PAGE_ENTRY_WORDS + random.below(7),
  "a thread's cache": (_, random) => threadRecordAt(0) + THREAD_FREE_HEADS + random.below(2 * SIZE_CLASSES),
}

/** References that lead nowhere. A directory that leads to a false segment may make a writer wait there. */
const outside = [0, -1, 0x7fffffff, 0x80000000]

/** Each call by one of the engines, at random. */
function work(engines: readonly Engine[], random: Random): void {
  let timeouts = 0
  let engine = engines[0]
  const next = (): Engine => (engine = random.pick(engines))
  const check = (): void => {
    const status = engine.result[RESULT_STATUS]
    expect(status >= COUNTER_RANGE && status <= SCRATCH_TOO_SMALL).toBe(true)
    if (status === TIMEOUT) timeouts++
  }
  // Waiting in vain for what damage has taken is right, but one wait tells as much as a hundred.
  for (let i = 0; i < 200 && timeouts === 0; i++) {
    const key = random.below(KEYS)
    next().get(key)
    check()
    next().put(key, VALUE_LATIN1, 'w'.repeat(random.below(300)), PUT_ALWAYS)
    check()
    next().remove(key + 1, PUT_ALWAYS)
    check()
    next().increment(key + 2, 1)
    check()
  }
  next().get('large')
  check()
  let from = 0
  for (let calls = 0; from < 2 ** 32 && calls < 100; calls++) {
    from = next().collect(from, HASH_END, NO_LIMIT)
    check()
    if (engine.result[RESULT_STATUS] !== DONE) break
  }
  next().clear(0, NO_LIMIT)
  check()
  for (const each of engines) {
    each.verify()
    each.close()
  }
}

const describeEach = describe.each(lineups)

describeEach(
  'a damaged region gives an error or wrong data, never an exception or an endless loop ($name)',
  (lineup) => {
    test.each(Object.keys(targets))('%s', (target) => {
      const random = new Random(seed)
      const sound = new Int32Array(makeFilled()).slice()
      for (let round = 0; round < 40; round++) {
        const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
        const words = new Int32Array(buffer)
        words.set(sound)
        const engines = [0, 1].map((worker) => openEngine(buffer, lineup.engineOf(worker)))
        const at = targets[target](words, random)
        const value = random.pick(
          target.includes('directory') ? outside : [...outside, 1, random.below(2 ** 18), words[at] ^ 1],
        )
        if (words[at] === (value | 0)) continue
        words[at] = value
        for (const engine of engines) engine.verify()
        work(engines, random)
      }
    })
  },
)

describeEach('verify ($name)', (lineup) => {
  test.each([
    ['a flipped key byte', (words: Int32Array, slot: number) => (words[entryAt(words, slot) + 6] ^= 1), /hash /],
    ['a longer value', (words: Int32Array, slot: number) => (words[entryAt(words, slot) + 2] = 9), /malformed value/],
    ['a key that goes on', (words: Int32Array, slot: number) => (words[entryAt(words, slot) + 6] |= 1 << 24), /padded/],
    [
      'a value that goes on',
      (words: Int32Array, slot: number) => {
        words[entryAt(words, slot) + ENTRY_META] += (VALUE_LATIN1 - VALUE_NUMBER) << VALUE_KIND_SHIFT
        words[entryAt(words, slot) + 2] = 7
      },
      /value whose last word is not padded/,
    ],
    [
      'a key written in another way',
      (words: Int32Array, slot: number) => {
        const entry = entryAt(words, slot)
        words[entry + ENTRY_META] += (KEY_BOOLEAN - KEY_LATIN1) << KEY_KIND_SHIFT
        words[entry + ENTRY_META] -= 2
      },
      /malformed key of kind 5 and 1 bytes/,
    ],
    ['a lost entry', (words: Int32Array, slot: number) => (words[slot] = 0), /lost|leaked/],
    ['a wrong tag', (words: Int32Array, _: number, home: number) => (words[home + 2] ^= 0x02020202), /tag/],
    ['a held bucket', (words: Int32Array, _: number, home: number) => (words[home] ^= 1), /held|version odd/],
    [
      'a version from the future',
      (words: Int32Array, slot: number) => (words[entryAt(words, slot) + 4] = 7),
      /newer|ahead/,
    ],
  ])('notices %s', (_, damage, message) => {
    const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
    formatRegion(buffer)
    const engine = openEngine(buffer, lineup.engineOf(0))
    const other = openEngine(buffer, lineup.engineOf(1))
    engine.put('key', VALUE_NUMBER, 1, PUT_ALWAYS)
    const home = engine.result[RESULT_HOME] * BLOCK_WORDS
    const slot = home + 5
    expect(engine.words[slot]).toBe(engine.result[RESULT_ENTRY])
    expect(engine.verify()).toEqual([])
    damage(engine.words, slot, home)
    for (const each of [engine, other]) expect(each.verify().join('\n')).toMatch(message)
  })

  function entryAt(words: Int32Array, slot: number): number {
    return words[slot] * BLOCK_WORDS
  }
})

describe('a takeover or repair of what is damaged', () => {
  /** The region as it would be if the engine's thread had died with `mutex`, not yet taken over. */
  function afterDeathWith(engine: TypescriptEngine, mutex: number): Int32Array {
    const words = new Int32Array(new SharedArrayBuffer(engine.words.byteLength))
    words.set(engine.words)
    words[mutex] = markOf(words, 0)
    abandon(words, 0)
    return words
  }

  function makeEngine(): TypescriptEngine {
    const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
    formatRegion(buffer)
    return new TypescriptEngine(buffer)
  }

  test('ends where a cached list bites its tail', () => {
    const engine = makeEngine()
    const words = afterDeathWith(engine, HEADER_HEAP_MUTEX)
    const segment = segmentOf(words)
    words[segment * BLOCK_WORDS] = segment
    for (let i = 0; i < SIZE_CLASSES; i++) words[threadRecordAt(0) + THREAD_FREE_HEADS + i] = segment
    takeOverFromDead(words)
    for (let i = 0; i < SIZE_CLASSES; i++) {
      expect(words[threadRecordAt(0) + THREAD_FREE_COUNTS + i]).toBeLessThanOrEqual(1024)
    }
    engine.close()
  })

  test('undoes nothing that a damaged journal says', () => {
    const engine = makeEngine()
    const words = afterDeathWith(engine, HEADER_HEAP_MUTEX)
    words[HEADER_JOURNAL_LENGTH] = JOURNAL_CAPACITY + 1
    words[HEADER_JOURNAL + 2 * JOURNAL_CAPACITY - 2] = HEADER_HEAP_TOP
    words[HEADER_JOURNAL + 2 * JOURNAL_CAPACITY - 1] = 12345
    takeOverFromDead(words)
    expect(words[HEADER_HEAP_TOP]).toBe(engine.words[HEADER_HEAP_TOP])
    expect(words[HEADER_JOURNAL_LENGTH]).toBe(0)
    engine.close()
  })

  test('loses no tombstone that is in the way of a key on its way home', () => {
    const engine = makeEngine()
    for (let i = 0; i < 500; i++) engine.put(i, VALUE_NUMBER, i, PUT_ALWAYS)
    for (let i = 0; i < 500; i += 3) engine.remove(i, PUT_ALWAYS)
    const words = afterDeathWith(engine, segmentOf(engine.words) * BLOCK_WORDS + SEGMENT_MUTEX)
    const next = new TypescriptEngine(words.buffer)
    const clean = { sizeCorrection: 0, segmentsCorrected: 0, blocksFreed: 0, hasLookedForLeaks: true }
    expect(next.repair()).toMatchObject(clean)
    for (let i = 0; i < 500; i++) expect(next.get(i)).toBe(i % 3 === 0 ? undefined : i)
    expect(next.verify()).toEqual([])
    next.close()
    engine.close()
  })

  test.each(lineups)('believes no span whose blocks would lie outside the heap ($name)', (lineup) => {
    const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
    formatRegion(buffer)
    const engine = openEngine(buffer, lineup.engineOf(0))
    const { words } = engine
    const heap = new Heap(new Region(words.buffer))
    const top = words[HEADER_HEAP_TOP]
    const last = heap.pageCount - 1
    words[HEADER_HEAP_TOP] = last + 1
    words[heap.descriptor(top) + PAGE_RUN] = last - top
    words[heap.descriptor(last) + PAGE_KIND] = PAGE_SPAN | ((SIZE_CLASSES - 1) << PAGE_CLASS_SHIFT)
    words[heap.descriptor(last) + PAGE_RUN] = 1
    words[heap.descriptor(last) + PAGE_CARVED] = spanCapacity(SIZE_CLASSES - 1)
    expect(engine.repair().blocksFreed).toBe(0)
    expect(engine.result[RESULT_STATUS]).toBe(CORRUPT)
  })

  test('memory is told of without a directory', () => {
    const engine = makeEngine()
    engine.words[HEADER_DIRECTORY] = 0x7fffffff
    expect(inspectMemory(engine.words).index).toBeGreaterThan(0)
  })
})

describeEach('waiting ($name)', (lineup) => {
  test('a write behind a dead owner gives up in time, and tells who it was', () => {
    const buffer = new SharedArrayBuffer(MIN_REGION_BYTES)
    formatRegion(buffer)
    const engine = openEngine(buffer, lineup.engineOf(0))
    const dead = openEngine(buffer, lineup.engineOf(1))
    engine.put('key', VALUE_NUMBER, 1, PUT_ALWAYS)
    const home = engine.result[RESULT_HOME] * BLOCK_WORDS
    // The second engine claims and takes the bucket, and never comes back.
    Atomics.store(engine.words, threadRecordAt(1) + THREAD_CLAIM, home / BLOCK_WORDS)
    Atomics.store(engine.words, home + BUCKET_VERSION, engine.words[home] + 1)
    const clock = new FairClock()
    engine.put('key', VALUE_NUMBER, 2, PUT_ALWAYS)
    expect(engine.result[RESULT_STATUS]).toBe(TIMEOUT)
    expect(clock.now()).toBeLessThan(4000)
    expect(engine.result[RESULT_OWNER_PID]).toBe(process.pid)
    expect(engine.get('key')).toBe(1) // a reader does not wait

    Atomics.store(engine.words, home + BUCKET_VERSION, engine.words[home] + 1)
    Atomics.store(engine.words, threadRecordAt(1) + THREAD_CLAIM, 0)
    engine.put('key', VALUE_NUMBER, 2, PUT_ALWAYS)
    expect(engine.result[RESULT_STATUS]).toBe(DONE)
    expect(engine.verify()).toEqual([])
    dead.close()
  })

  test('so does one behind a mutex', () => {
    const buffer = makeFilled()
    const engine = openEngine(buffer, lineup.engineOf(0))
    const mutex = segmentOf(engine.words) * BLOCK_WORDS + SEGMENT_MUTEX
    Atomics.store(engine.words, mutex, 1 | (1 << 8))
    engine.clear(0, NO_LIMIT)
    expect(engine.result[RESULT_STATUS]).toBe(TIMEOUT)
    expect(engine.result[RESULT_OWNER_PID]).toBe(process.pid)
    expect(engine.result[RESULT_OWNER_THREAD]).toBeGreaterThanOrEqual(0)
    Atomics.store(engine.words, mutex, 0)
    engine.clear(0, NO_LIMIT)
    expect(engine.result[RESULT_STATUS]).toBe(DONE)
  })
})
