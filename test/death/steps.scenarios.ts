// What a thread is at when it dies before one of its stores. The counterpart of native/test/death_test.cc.
import { ConcurrentCache, ConcurrentMap, MapsafeError, type Key, type MapHandle } from '../../src/index.js'
import { PUT_ALWAYS, RENEW_EXPIRY } from '../../src/engine/engine.js'
import { Clock } from '../support/clock.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { partitionsOf } from '../../src/format/eviction-area.js'
import { Region } from '../../src/format/region.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { findPlace } from '../../src/public/handle.js'
import { increment } from '../../src/store/writes.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  HEADER_SEGMENT_COUNT,
  PARTITION_NODES,
  SEGMENT_TOMBSTONES,
  SIZE_CLASSES,
  SLOTS_PER_BUCKET,
  THREAD_FREE_COUNTS,
  THREAD_FREE_HEADS,
  THREAD_SIZE_DELTA,
  VALUE_LATIN1,
} from '../../src/format/layout.js'

export type Subject = ConcurrentMap<Key, unknown>
export type Entries = Map<Key, unknown>

/** One call of a victim, and what it makes of the entries. */
export interface Operation {
  run(map: Subject): unknown
  effect(entries: Entries): unknown
}

export interface Scenario {
  readonly options?: { readonly maxBytes?: number; readonly maxEntries?: number }
  readonly isCache?: boolean
  /** Fills the map before the victim comes. */
  prepare(map: Subject): void
  /** @param size the number of entries then */
  operations(size: number): Operation[]
  /**
   * Whether every operation changes one entry, at once, and none goes that nobody deleted; default true, but for
   * caches.
   */
  readonly isWhole?: boolean
  /** Whether `size` is right again without a repair; default true. */
  readonly hasRightSize?: boolean
  /** Blocks that a death may keep from others until a repair; default as for a write. */
  readonly mostLost?: number
  /** Whether somebody watches, who is told of every change or learns that he may have missed some. */
  readonly isWatched?: boolean
  /** How many more deaths than others it is worth; default 1. */
  readonly weight?: number
  /** Whether the victim may also die while it attaches and closes. */
  readonly isWholeLife?: boolean
}

/** Blocks that a write may have in hand: the new entry, the old one, and a tombstone's. */
export const MOST_LOST = 3

export const keyOf = (i: number): string => `key${i}`
const valueOf = (i: number): string => `value of ${keyOf(i)}`

export const putting = (key: string, value: unknown): Operation => ({
  run: (map) => map.set(key, value),
  effect: (entries) => entries.set(key, value),
})

export const removing = (key: string): Operation => ({
  run: (map) => map.delete(key),
  effect: (entries) => entries.delete(key),
})

/** Changes both words of the number, so that half a sum is none of the sums. */
const BOTH_WORDS = 333_333_333_333_333

/** Adds `by`, so that the counter comes to `sum`. */
const counting = (key: string, by: number, sum: number): Operation => ({
  run: (map) => map.increment(key, by),
  effect: (entries) => entries.set(key, sum),
})

/** What an increment in a cache does if it renews the counter's expiry. */
const renewing = (key: string, by: number, sum: number): Operation => ({
  run: (map) => increment(storeOf(map), key, by, undefined, RENEW_EXPIRY),
  effect: (entries) => entries.set(key, sum),
})

/** What `update` does once it lost too many races. */
const holding = (key: string, value: string): Operation => ({
  run(map) {
    const engine = storeOf(map).open()
    engine.hold(key)
    engine.putHeld(key, VALUE_LATIN1, value)
  },
  effect: (entries) => entries.set(key, value),
})

/** An operation that changes no entry. */
export const doing = (run: (map: Subject) => unknown): Operation => ({ run, effect: () => undefined })

/** A write with tags, the first of which are new. */
const tagging = (key: string, ...tags: string[]): Operation => ({
  run: (map) => map instanceof ConcurrentCache && map.set(key, `with ${tags.join()}`, { tags }),
  effect: (entries) => entries.set(key, `with ${tags.join()}`),
})

export const invalidating = (tag: string, keys: string[]): Operation => ({
  run(map) {
    if (map instanceof ConcurrentCache) map.invalidateTags([tag])
  },
  effect(entries) {
    for (const key of keys) entries.delete(key)
  },
})

/** Deletes all that has expired. */
export const sweep = (map: Subject): number => storeOf(map).open().sweep(0, 1_000_000)

export const many = (count: number, make: (i: number) => Operation): Operation[] =>
  Array.from({ length: count }, (_, i) => make(i))

export function open(handle: MapHandle, engine: 'native' | 'typescript'): Subject {
  const options = { engine, nearCache: false } as const
  return handle.kind === 'mapsafe.cache'
    ? ConcurrentCache.attach({ ...handle, kind: 'mapsafe.cache' }, options)
    : ConcurrentMap.attach(handle, options)
}

export function fill(map: Subject, count: number): void {
  for (let i = 0; i < count; i++) map.set(keyOf(i), valueOf(i))
}

const regionOf = ({ handle }: Subject): SharedArrayBuffer | ArrayBuffer => findPlace(handle).region

/** Fills a map, and deletes most of it here and there. Entries of this size stay as no tombstones. */
function scatter(map: Subject, keptOf: number): void {
  let count = 0
  try {
    for (; ; count++) map.set(`scattered ${count}`, `${count} `.repeat(300))
  } catch (error) {
    if (!(error instanceof MapsafeError) || error.code !== 'ERR_MAPSAFE_FULL') throw error
  }
  for (let i = 0; i < count; i++) if (i % keptOf !== 0) map.delete(`scattered ${i}`)
}

/** Fills a map until, in a copy, the next insert changes the `watched` words in the way that `isDue` says. */
function fillUntil(map: Subject, watched: number[], isDue: (...hasChanged: boolean[]) => boolean): void {
  const region = new SharedArrayBuffer(regionOf(map).byteLength)
  new Uint8Array(region).set(new Uint8Array(regionOf(map)))
  using trial = open({ kind: map.handle.kind, region }, 'typescript')
  const words = new Int32Array(region)
  trial.set(keyOf(0), valueOf(0)) // whatever comes with the first entry of all
  for (let i = 1; ; i++) {
    const before = watched.map((word) => words[word])
    trial.set(keyOf(i), valueOf(i))
    if (!isDue(...watched.map((word, j) => words[word] !== before[j]))) continue
    fill(map, i)
    return
  }
}

/**
 * Gives a repair something to do: loses a free block, and makes two counts wrong. The map's thread has the first
 * record.
 */
function damage(words: Int32Array): void {
  const record = threadRecordAt(0)
  const heads = words.subarray(record + THREAD_FREE_HEADS, record + THREAD_FREE_HEADS + SIZE_CLASSES)
  const sizeClass = heads.findIndex((head) => head !== 0)
  heads[sizeClass] = words[heads[sizeClass] * BLOCK_WORDS]
  words[record + THREAD_FREE_COUNTS + sizeClass]--
  words[record + THREAD_SIZE_DELTA] += 3
  const segment = words[words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES]
  words[segment * BLOCK_WORDS + SEGMENT_TOMBSTONES] += 5
}

/**
 * Beside what a write loses: all entries of a segment, its twin and a directory array; in a cache, two tables or chunks
 * instead.
 */
const ONE_SEGMENT = ALL_BUCKETS * SLOTS_PER_BUCKET + MOST_LOST + 2

/** Words that change in a split, and when the directory doubles. */
const SPLIT = [HEADER_SEGMENT_COUNT, HEADER_DIRECTORY]

const large = 'l'.repeat(700)
const larger = 'l'.repeat(4000)
const huge = 'h'.repeat(40000)

/** What entries that reads renew hold, and for how long they live. */
const SLIDING_VALUES: readonly unknown[] = ['value', 1.5, { a: [1, 2] }, large, huge, undefined]
const SLIDING_TTL = 100_000_000

export const scenarios: Readonly<Record<string, Scenario>> = {
  'writes of one bucket': {
    weight: 8, // many different writes, each with a few stores that matter most
    prepare: (map) => fill(map, 20),
    operations: () => [
      ...[putting('new', '1'), putting('new', { two: 2 }), removing('new'), putting('new', 3)],
      ...[putting(keyOf(3), 'other'), removing(keyOf(4)), putting('l', large), putting('l', `${large}2`)],
      ...[removing('l'), putting('h', huge), putting('h', 'small'), putting('h', huge), removing('h')],
      ...[removing(keyOf(5)), removing('absent')],
      { run: (map) => map.update(keyOf(6), () => 'updated'), effect: (entries) => entries.set(keyOf(6), 'updated') },
    ],
  },
  increments: {
    weight: 10, // only some of the stores lie between the halves of a sum
    prepare: (map) => fill(map, 20),
    operations: () => [
      ...many(120, (i) => counting('sum', i % 2 === 0 ? BOTH_WORDS : -BOTH_WORDS, i % 2 === 0 ? BOTH_WORDS : 0)),
      renewing('sum', BOTH_WORDS, BOTH_WORDS),
    ],
  },
  'writes of a crowded segment': {
    mostLost: ONE_SEGMENT,
    prepare(map) {
      fillUntil(map, [HEADER_SEGMENT_COUNT], (hasSplit) => hasSplit)
    },
    // Deletes first, so that the inserts find room here and there, and no split.
    operations: () => [
      ...many(10, (i) => removing(keyOf(5 + 20 * i))),
      ...many(12, (i) => putting(`new${i}`, 'new')),
      ...many(10, (i) => putting(keyOf(20 * i), 'other')),
      ...many(10, (i) => removing(keyOf(7 + 20 * i))),
    ],
  },
  'a split that doubles the directory': {
    mostLost: ONE_SEGMENT,
    prepare(map) {
      fillUntil(map, SPLIT, (hasSplit, hasDoubled) => hasSplit && hasDoubled)
    },
    operations: (size) => [putting(keyOf(size), 'split')],
  },
  'a split within the directory': {
    mostLost: ONE_SEGMENT,
    options: { maxBytes: 4 * 2 ** 20 },
    prepare(map) {
      fillUntil(map, SPLIT, (hasSplit, hasDoubled) => hasSplit && !hasDoubled)
    },
    operations: (size) => [putting(keyOf(size), 'split')],
  },
  'a cleanup': {
    mostLost: ONE_SEGMENT,
    prepare(map) {
      fill(map, 500)
      for (let i = 0; i < 224; i++) map.delete(keyOf(i))
    },
    operations: () => [removing(keyOf(300))],
  },
  clear: {
    weight: 4, // most of its stores free memory
    mostLost: ONE_SEGMENT,
    prepare: (map) => fill(map, 400),
    operations: () => [{ run: (map) => map.clear(), effect: (entries) => entries.clear() }],
    isWhole: false,
  },
  'moves of entries': {
    weight: 8, // few of its stores are moves
    prepare(map) {
      fill(map, 20)
      scatter(map, 10)
      map.increment('counter', 5)
      map.increment('counter', 6)
    },
    operations: () => [putting('large', 'l'.repeat(60_000)), putting('other', 'o'.repeat(30_000))],
  },
  'joins of segments': {
    weight: 8,
    // Of two segments, and those that the thread was giving back.
    mostLost: 2 * ONE_SEGMENT,
    options: { maxBytes: 4 * 2 ** 20 },
    prepare(map) {
      fill(map, 20)
      for (let i = 0; i < 1200; i++) map.set(`passing ${i}`, i)
      for (let i = 0; i < 1200; i++) map.delete(`passing ${i}`)
    },
    operations: () => [doing(sweep), doing(sweep)],
  },
  'a snapshot': {
    prepare: (map) => fill(map, 300),
    operations: () => [doing((map) => map.snapshot())],
  },
  'a key held': {
    prepare: (map) => fill(map, 20),
    operations: () => [
      holding('new', '1'),
      holding(keyOf(3), 'other'),
      {
        run(map) {
          const engine = storeOf(map).open()
          engine.hold(keyOf(4))
          engine.removeHeld(keyOf(4))
        },
        effect: (entries) => entries.delete(keyOf(4)),
      },
      doing((map) => {
        const engine = storeOf(map).open()
        engine.hold(keyOf(5))
        engine.letGo()
      }),
    ],
  },
  'attaching and closing': {
    prepare: (map) => fill(map, 20),
    operations: () => [putting('new', '1'), doing((map) => map.close())],
    isWholeLife: true,
  },
  'a repair': {
    prepare(map) {
      fill(map, 200)
      map.delete(keyOf(1))
      damage(new Int32Array(regionOf(map)))
    },
    operations: () => [doing((map) => map.repair())],
    hasRightSize: false,
  },
  'inserts that evict': {
    isCache: true,
    options: { maxEntries: 24 },
    prepare(map) {
      fill(map, 40)
      for (let i = 20; i < 40; i += 2) map.get(keyOf(i))
    },
    operations: () => [
      ...many(8, (i) => putting(`new${i}`, 'new')),
      ...[putting('new7', 'other'), removing('new6'), putting(keyOf(0), 'returns')],
      ...[putting(keyOf(1), 'returns'), putting('new6', 'again')],
    ],
  },
  'making room in a cache': {
    mostLost: ONE_SEGMENT,
    isCache: true,
    prepare(map) {
      for (let i = 0; i < 300; i++) map.set(`large${i}`, larger)
    },
    operations: () => [putting('a', larger), putting('b', huge), putting('c', larger), removing('b')],
  },
  'more nodes for a cache': {
    mostLost: ONE_SEGMENT,
    isCache: true,
    prepare(map) {
      const nodes = partitionsOf(new Region(regionOf(map)))[0] + PARTITION_NODES
      fillUntil(map, [nodes], (hasMoreNodes) => hasMoreNodes)
    },
    operations: () => many(6, (i) => putting(`new${i}`, 'new')),
  },
  'a sweep': {
    mostLost: ONE_SEGMENT,
    isCache: true,
    prepare(map) {
      fill(map, 20)
      const clock = new Clock(map.handle)
      const engine = storeOf(map).open()
      const expiresAt = clock.now() + 1000
      for (let i = 0; i < 200; i++) engine.put(`short${i}`, VALUE_LATIN1, 'value', PUT_ALWAYS, 0, expiresAt)
      clock.advance(10_000)
    },
    operations: () => [doing(sweep)],
  },
  'renewals by reads': {
    isCache: true,
    isWhole: true,
    prepare(map) {
      fill(map, 20)
      if (!(map instanceof ConcurrentCache)) throw new Error('a map has no lifetimes')
      for (const [i, value] of SLIDING_VALUES.entries()) map.set(`sliding${i}`, value, { slidingTtl: SLIDING_TTL })
      new Clock(map.handle).advance(SLIDING_TTL / 2)
    },
    // Each read renews, and so stores the entry anew; no value changes.
    operations: () => [
      ...SLIDING_VALUES.map((_, i) => doing((map) => map.get(`sliding${i}`))),
      doing((map) => map.getMany(SLIDING_VALUES.map((_, i) => `sliding${i}`))),
    ],
  },
  tags: {
    mostLost: ONE_SEGMENT, // of sweeps
    isCache: true,
    prepare: (map) => fill(map, 20),
    operations: () => [
      tagging('new', 'a', 'b'),
      tagging(keyOf(3), 'b'),
      tagging(keyOf(4), 'c'),
      tagging('other', 'a'),
      invalidating('b', ['new', keyOf(3)]),
      tagging(keyOf(3), 'b'),
      tagging(keyOf(3), 'd'),
      doing(sweep),
      invalidating('a', ['other']),
      { run: (map) => map.update(keyOf(4), () => 'updated'), effect: (entries) => entries.set(keyOf(4), 'updated') },
      { run: (map) => map.increment('sum', 5), effect: (entries) => entries.set('sum', 5) },
      invalidating('c', [keyOf(4)]),
      invalidating('unknown', []),
      doing(sweep),
    ],
  },
  'clear of a cache': {
    mostLost: ONE_SEGMENT,
    isCache: true,
    prepare: (map) => fill(map, 100),
    operations: () => [{ run: (map) => map.clear(), effect: (entries) => entries.clear() }],
  },
}

/** Attaching, and so taking over from who died before. */
export const takingOver = (predecessor: Scenario): Scenario => ({
  ...predecessor,
  operations: () => [doing(() => undefined)],
  isWholeLife: true,
})
