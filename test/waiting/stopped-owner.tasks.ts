import { readFileSync } from 'node:fs'
import { ConcurrentCache, ConcurrentMap, type Key } from '../../src/index.js'
import { storeOf } from '../../src/public/concurrent-map.js'
import { partitionsOf, reserveMutexAt } from '../../src/format/eviction-area.js'
import { pairsOf, Region } from '../../src/format/region.js'
import { threadRecordAt } from '../../src/format/thread-record.js'
import { bucketAt } from '../../src/format/bucket.js'
import { RESULT_HOME } from '../../src/engine/engine.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  CLAIM_ALL,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  HEADER_DIRECTORY_MUTEX,
  HEADER_HEAP_MUTEX,
  HEADER_FEED_MUTEX,
  HEADER_SHAPE_MUTEX,
  PARTITION_MUTEX,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  SEGMENT_MOVES,
  SEGMENT_MUTEX,
  THREAD_CLAIM,
  THREAD_KERNEL_ID,
} from '../../src/format/layout.js'
import { locksOf } from '../../src/engine/typescript/threads/liveness.js'
import type { Shift } from '../support/crew.js'
import { openMemory, sleepWhile, type SharedMemory } from '../support/shared-memory.js'

/** Words of the memory between test and holder: the holder's process id, once it holds; and whether to let go. */
export const HOLDER = 0
export const LET_GO = 1

/**
 * What a thread can be stopped with: one lock, or all those of a cleanup or of a snapshot. `registry` is the right to take
 * every second thread record that is free, `takeover` that to take over from the dead.
 */
export const LOCKS = [
  'heap',
  'directory',
  'shapes',
  'feed',
  'segment',
  'bucket',
  'partition',
  'reserve',
  'registry',
  'takeover',
  'cleanup',
  'everything',
] as const
export type Lock = (typeof LOCKS)[number]

/** The key that calls are about. */
export const KEY = 'key'

/**
 * Takes a lock as a thread does that is in the middle of a call, and keeps it until it is told to let go. The test
 * stops the process meanwhile.
 */
export function holdUntilTold({ map }: Shift, memory: SharedMemory, lock: Lock): void {
  const told = new Int32Array(openMemory(memory))
  const engine = storeOf(map).open()
  engine.peek(KEY)
  const { words } = engine
  const home = (engine.result[RESULT_HOME] >>> 0) * BLOCK_WORDS
  const letGo = takeOfFile(words, lock) ?? take(words, engine.mark, lock, home)
  Atomics.store(told, HOLDER, process.pid)
  while (Atomics.load(told, LET_GO) === 0) sleepWhile(told, LET_GO, 0)
  letGo()
}

/** Takes what is a lock of the file. @returns what lets go; undefined for other locks */
function takeOfFile(words: Int32Array, lock: Lock): (() => void) | undefined {
  const locks = locksOf(words)!
  if (lock === 'takeover') {
    while (!locks.tryLockTakeover());
    return () => {
      locks.unlockTakeover()
    }
  }
  if (lock !== 'registry') return undefined
  const free = Array.from({ length: REGISTRY_THREADS / 2 }, (_, half) => 2 * half).filter(
    (index) => pairsOf(words)[(threadRecordAt(index) + THREAD_KERNEL_ID) / 2] === 0n && locks.tryLock(index),
  )
  return () => {
    for (const index of free) locks.unlock(index)
  }
}

/** @param home first word of the key's home bucket. @returns what lets go */
function take(words: Int32Array, mark: number, lock: Lock, home: number): () => void {
  const region = new Region(words.buffer)
  const record = threadRecordAt((mark & 0xff) - 1)
  const segments = segmentsOf(words)
  const homeSegment = segments.find((at) => home > at && home < at + SEGMENT_BYTES / 4)!
  const mutexes: Record<Lock, number[]> = {
    heap: [HEADER_HEAP_MUTEX],
    directory: [HEADER_DIRECTORY_MUTEX],
    shapes: [HEADER_SHAPE_MUTEX],
    feed: [HEADER_FEED_MUTEX],
    segment: [homeSegment + SEGMENT_MUTEX],
    bucket: [],
    partition: partitionsOf(region)
      .slice(0, 1)
      .map((at) => at + PARTITION_MUTEX),
    reserve: [reserveMutexAt(region)],
    registry: [],
    takeover: [],
    cleanup: [homeSegment + SEGMENT_MUTEX],
    everything: segments.map((at) => at + SEGMENT_MUTEX),
  }
  const buckets: Partial<Record<Lock, number[]>> = {
    bucket: [home],
    cleanup: bucketsOf(homeSegment),
    everything: segments.flatMap(bucketsOf),
  }
  const versions = (buckets[lock] ?? []).map((bucket) => bucket + BUCKET_VERSION)
  const moves = lock === 'cleanup' ? [homeSegment + SEGMENT_MOVES] : []
  const segment = homeSegment / BLOCK_WORDS
  const claim = { bucket: home / BLOCK_WORDS, segment, cleanup: segment, everything: CLAIM_ALL }
  Atomics.store(words, record + THREAD_CLAIM, lock in claim ? claim[lock as keyof typeof claim] : 0)
  for (const mutex of mutexes[lock]) {
    while (Atomics.compareExchange(words, mutex, 0, mark) !== 0);
  }
  for (const word of [...versions, ...moves]) Atomics.add(words, word, 1)
  return () => {
    for (const word of [...moves, ...versions]) Atomics.add(words, word, 1)
    for (const mutex of mutexes[lock]) Atomics.store(words, mutex, 0)
    Atomics.store(words, record + THREAD_CLAIM, 0)
  }
}

/** First words of all segments. */
function segmentsOf(words: Int32Array): number[] {
  const directory = words[HEADER_DIRECTORY] * BLOCK_WORDS
  const entries = words.subarray(directory + DIRECTORY_ENTRIES).subarray(0, 2 ** words[directory + DIRECTORY_DEPTH])
  return [...new Set(entries)].map((block) => block * BLOCK_WORDS)
}

function bucketsOf(segment: number): number[] {
  return Array.from({ length: ALL_BUCKETS }, (_, index) => bucketAt(segment / BLOCK_WORDS, index))
}

type Subject = ConcurrentMap<Key, unknown>

/** Every way to read. None waits. */
const READS: Record<string, (map: Subject) => unknown> = {
  get: (map) => map.get(KEY),
  has: (map) => map.has(KEY),
  getEntry: (map) => map.getEntry(KEY),
  peek: (map) => map.peek(KEY),
  peekEntry: (map) => map.peekEntry(KEY),
  getMany: (map) => map.getMany([KEY, 'absent', 1, 2]),
  getEntries: (map) => map.getEntries([KEY, 'absent', 1, 2]),
  hasMany: (map) => map.hasMany([KEY, 'absent', 1, 2]),
  size: (map) => map.size,
  scan: (map) => map.scan(undefined, { count: 1000 }),
  keys: (map) => [...map.keys()],
  values: (map) => [...map.values()],
  entries: (map) => [...map],
  forEach: (map) => map.forEach(() => undefined),
  stats: (map) => map.stats(),
  health: (map) => map.health(),
  healthAsync: (map) => map.healthAsync(),
  toJSON: (map) => map.toJSON(),
  verify: (map) => map.verify(),
  verifyAsync: (map) => map.verifyAsync(),
  'getOrLoad what is there': (map) => map instanceof ConcurrentCache && map.getOrLoad(KEY, () => 'value'),
}

const many = Array.from({ length: 3000 }, (_, i) => i)
const large = 'x'.repeat(40_000)

/** Every other call. New keys are strings and counters of their worker. */
const WRITES: Record<string, (map: Subject, fresh: string) => unknown> = {
  set: (map) => map.set(KEY, 'value'),
  'set a new key': (map, fresh) => map.set(fresh, 'value'),
  'set a large value': (map, fresh) => map.set(fresh, large),
  setIfAbsent: (map, fresh) => map.setIfAbsent(KEY, 'value') || map.setIfAbsent(fresh, 'value'),
  setIfVersion: (map) => map.setIfVersion(KEY, 'value', map.getEntry(KEY)?.version ?? 0),
  replace: (map) => map.replace(KEY, 'value'),
  swap: (map) => map.swap(KEY, 'value'),
  getOrInsert: (map, fresh) => [map.getOrInsert(KEY, 'value'), map.getOrInsert(fresh, 'value')],
  getOrInsertComputed: (map, fresh) => map.getOrInsertComputed(fresh, () => 'value'),
  update: (map) => map.update(KEY, () => 'value'),
  'update a new key': (map, fresh) => map.update(fresh, () => 'value'),
  compareAndSwap: (map) => map.compareAndSwap(KEY, map.get(KEY), 'value'),
  compareAndDelete: (map) => map.compareAndDelete(KEY, 'value'),
  'set a value of a new shape': (map, fresh) => storeOf(map).open().addShape(0, fresh),
  delete: (map) => map.delete(KEY),
  deleteIfVersion: (map) => map.deleteIfVersion(KEY, map.getEntry(KEY)?.version ?? 1),
  take: (map) => map.take(KEY),
  increment: (map) => map.increment('counter'),
  'increment a new key': (map, fresh) => map.increment(fresh),
  incrementEntry: (map, fresh) => [map.incrementEntry('counter'), map.incrementEntry(fresh)],
  setMany: (map, fresh) => map.setMany(many.map((i) => [`${fresh} ${i}`, 'value'])),
  deleteMany: (map) => map.deleteMany([KEY, ...many]),
  changes: (map) => map.changes({ keys: [KEY] }).return(),
  watch: (map) => {
    map.watch(KEY, () => undefined).stop()
  },
  deleteWhere: (map) => map.deleteWhere(() => true),
  deleteWhereAsync: (map) => map.deleteWhereAsync(() => true),
  clear: (map) => map.clear(),
  clearAsync: (map) => map.clearAsync(),
  snapshot: (map) => map.snapshot(),
  snapshotAsync: (map) => map.snapshotAsync(),
  repair: (map) => map.repair(),
  'attach and close': (map) => {
    if (map instanceof ConcurrentCache) ConcurrentCache.attach(map.handle).close()
    else ConcurrentMap.attach(map.handle).close()
  },
  'constructor, and close': (map) => {
    const file = map.handle.file!
    if (map instanceof ConcurrentCache) new ConcurrentCache({ file }).close()
    else new ConcurrentMap({ file }).close()
  },
  'open, and close': (map, fresh) => {
    const file = map.handle.file!
    // A name is that of one file for as long as the thread lives.
    const name = `${fresh} ${file}`
    if (map instanceof ConcurrentCache) ConcurrentCache.open(name, { file }).close()
    else ConcurrentMap.open(name, { file }).close()
  },
  getOrLoad: (map, fresh) => map instanceof ConcurrentCache && map.getOrLoad(fresh, () => 'value'),
  getManyOrLoad: (map, fresh) =>
    map instanceof ConcurrentCache && map.getManyOrLoad([fresh], ([key]) => [[key, 'value']]),
  'namespace and set': (map, fresh) => map.namespace('a ').set(fresh, 'value'),
  'namespace and clear': (map) => {
    map.namespace('a ').clear()
  },
  touch: (map) => map instanceof ConcurrentCache && map.touch(KEY),
  invalidateTags: (map) => {
    if (map instanceof ConcurrentCache) map.invalidateTags(['a tag of no entry'])
  },
  'set with tags': (map, fresh) => map instanceof ConcurrentCache && map.set(fresh, 'value', { tags: ['tag'] }),
  'set with a ttl': (map, fresh) => map instanceof ConcurrentCache && map.set(fresh, 'value', { ttl: 600_000 }),
}

/** The methods that are called, and what their names say is called. */
export const CALLED = [...Object.keys(READS), ...Object.keys(WRITES)].flatMap((name) => name.match(/\w+/g) ?? [])

export interface Measured {
  readonly name: string
  readonly engine: string
  /** Milliseconds of the call, or of its longest slice, in which the thread slept. */
  readonly slept: number
  /** Those in which it slept or ran: without those in which the system gave it no processor. */
  readonly took: number
  /** Those in which the system gave it no processor. */
  readonly delayed: number
  /** The error's code and message, if it threw. */
  readonly code: string | undefined
  readonly message: string | undefined
}

/** Reads in every way. */
export async function readEverything({ map }: Shift): Promise<Measured[]> {
  return measureAll(map, Object.entries(READS), (read) => read(map))
}

/** Makes its share of all other calls, each of which one worker with either engine makes. */
export async function writeEverything({ map, worker, workers }: Shift): Promise<Measured[]> {
  const mine = Object.entries(WRITES).filter((_, i) => i % (workers / 2) === Math.floor(worker / 2))
  return measureAll(map, mine, (write, name) => write(map, `${name} ${worker}`))
}

async function measureAll<Call>(
  map: Subject,
  calls: readonly [string, Call][],
  make: (call: Call, name: string) => unknown,
): Promise<Measured[]> {
  const all: Measured[] = []
  for (const [name, call] of calls) all.push(await measure(map, name, () => make(call, name)))
  return all
}

async function measure(map: Subject, name: string, call: () => unknown): Promise<Measured> {
  let error: { code?: string; message?: string } = {}
  const turns = [now()]
  // What goes on in slices is bounded slice by slice: each is a call of its own to those who wait for this thread.
  let isOver = !name.endsWith('Async')
  const tick = (): void => {
    turns.push(now())
    if (!isOver) setImmediate(tick)
  }
  if (!isOver) setImmediate(tick)
  try {
    await call()
  } catch (thrown) {
    error = thrown as { code?: string; message?: string }
  }
  isOver = true
  turns.push(now())
  const lengths = turns.slice(1).map((after, i) => lengthOf(turns[i], after))
  const longest = lengths.reduce((most, length) => (length.took > most.took ? length : most))
  return { name, engine: storeOf(map).open().kind, ...longest, code: error.code, message: error.message }
}

function lengthOf(
  before: ReturnType<typeof now>,
  after: ReturnType<typeof now>,
): Pick<Measured, 'slept' | 'took' | 'delayed'> {
  const delayed = after.delayed - before.delayed
  const took = after.time - before.time - delayed
  return { took, delayed, slept: took - (after.ran - before.ran) }
}

/** In milliseconds: the time, and how long this thread ran and waited for a processor so far. */
function now(): { readonly time: number; readonly ran: number; readonly delayed: number } {
  // Documentation/scheduler/sched-stats of Linux.
  const [ran, delayed] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')
  return { time: performance.now(), ran: Number(ran) / 1e6, delayed: Number(delayed) / 1e6 }
}
