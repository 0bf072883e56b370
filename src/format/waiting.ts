/** Who waits for whom: what sleeping threads left in their records, and whose that is. Any bytes are borne. */
import { readClocks } from '../platform/system-clock.js'
import { loadDouble } from './double.js'
import {
  BLOCK_BYTES,
  BLOCK_WORDS,
  CACHE_PARTITION_COUNT,
  CACHE_PARTITIONS,
  CLAIM_ALL,
  HEADER_DIRECTORY_MUTEX,
  HEADER_EVICTION,
  HEADER_FEED_MUTEX,
  HEADER_HEAP_MUTEX,
  HEADER_SHAPE_MUTEX,
  PARTITION_WORDS,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  SEGMENT_MUTEX,
  THREAD_CLAIM,
  THREAD_ID,
  THREAD_PID,
  THREAD_SLEEPS,
  THREAD_WAIT_AT,
  THREAD_WAIT_FOR,
  THREAD_WAIT_SINCE,
  WAITS_FOR_BUCKET,
  WAITS_FOR_LOCK,
  WAITS_FOR_WRITE,
} from './layout.js'
import { markOf, nameOf, recordIndexOf, threadRecordAt } from './thread-record.js'

/** A thread's wait for another one. */
export interface Waiting {
  /**
   * What it waits for. `'keys'`: those of one bucket or segment, or a write; `'memory'`, `'directory'`, `'shapes'`: the lock of
   * those; `'changes'`: the ring of the change feed; `'eviction'`: a part of the order in which a cache evicts; `'others'`:
   * threads that come and go.
   */
  readonly for: 'keys' | 'memory' | 'directory' | 'shapes' | 'changes' | 'eviction' | 'others'
  /** The thread in the way, as far as that can be told: of one instant, so it may be out of the way by now. */
  readonly thread:
    | {
        /** Process id. */
        readonly pid: number
        /** `threadId` of `node:worker_threads`. */
        readonly threadId: number
      }
    | undefined
  /** Since when, in milliseconds of `Date.now()`. */
  readonly since: number
}

/** The locks of the whole map, by their words. */
const LOCKS: ReadonlyMap<number, Waiting['for']> = new Map([
  [HEADER_HEAP_MUTEX, 'memory'],
  [HEADER_DIRECTORY_MUTEX, 'directory'],
  [HEADER_SHAPE_MUTEX, 'shapes'],
  [HEADER_FEED_MUTEX, 'changes'],
] as const)

/** Longer than any call waits. */
const LONGEST_WAIT_MS = 3_600_000

/** Returns what the owner of record `index` sleeps for; undefined if it does not sleep. O(thread records). */
export function waitingOf(words: Int32Array, index: number): Waiting | undefined {
  const at = threadRecordAt(index)
  if (Atomics.load(words, at + THREAD_SLEEPS) === 0) return undefined
  const kind = Atomics.load(words, at + THREAD_WAIT_FOR)
  const word = Atomics.load(words, at + THREAD_WAIT_AT) >>> 0
  const start = loadDouble(words, at + THREAD_WAIT_SINCE)
  const { monotonic, wall } = readClocks()
  const waited = monotonic - start
  // Else these bytes are damaged, or of another start of the system.
  if (!(waited >= 0 && waited <= LONGEST_WAIT_MS && word < words.length)) return undefined
  const owner = ownerOf(words, kind, word, index)
  return {
    for: obstacleOf(words, kind, word),
    thread: owner === undefined ? undefined : identityAt(words, threadRecordAt(owner)),
    since: wall - waited,
  }
}

function identityAt(words: Int32Array, record: number): { readonly pid: number; readonly threadId: number } {
  return { pid: Atomics.load(words, record + THREAD_PID), threadId: Atomics.load(words, record + THREAD_ID) }
}

function obstacleOf(words: Int32Array, kind: number, word: number): Waiting['for'] {
  if (kind === WAITS_FOR_BUCKET || kind === WAITS_FOR_WRITE) return 'keys'
  if (kind !== WAITS_FOR_LOCK) return 'others'
  return LOCKS.get(word) ?? (isInEvictionArea(words, word) ? 'eviction' : 'keys')
}

function isInEvictionArea(words: Int32Array, word: number): boolean {
  const area = words[HEADER_EVICTION] * BLOCK_WORDS
  if (area <= 0 || area >= words.length) return false
  return word >= area && word < area + CACHE_PARTITIONS + words[area + CACHE_PARTITION_COUNT] * PARTITION_WORDS
}

/** Returns the record, other than `self`, of the thread that has what is waited for; undefined if none shows. */
function ownerOf(words: Int32Array, kind: number, word: number, self: number): number | undefined {
  const records = Array.from({ length: REGISTRY_THREADS }, (_, index) => index)
  const taken = records.filter((index) => index !== self && nameOf(words, index) !== 0n)
  if (kind === WAITS_FOR_LOCK) {
    const mark = Atomics.load(words, word)
    return taken.find((index) => markOf(words, index) === mark)
  }
  if (kind === WAITS_FOR_WRITE) return taken.find((index) => index === Math.floor(recordIndexOf(word)))
  return kind === WAITS_FOR_BUCKET ? taken.find((index) => claims(words, index, word / BLOCK_WORDS)) : undefined
}

/** Returns whether the owner of record `index` claims a bucket, by itself or with all of its segment or the map. */
function claims(words: Int32Array, index: number, bucket: number): boolean {
  const claim = Atomics.load(words, threadRecordAt(index) + THREAD_CLAIM)
  if (claim === bucket || claim === CLAIM_ALL) return true
  // Another bucket, too, may lie so far before this one; but only a segment has its owner's mark in its first word.
  const isWithin = claim > 0 && bucket > claim && bucket < claim + SEGMENT_BYTES / BLOCK_BYTES
  return isWithin && Atomics.load(words, claim * BLOCK_WORDS + SEGMENT_MUTEX) === markOf(words, index)
}
