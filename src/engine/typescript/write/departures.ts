/**
 * Memory that threads may still look at when nothing leads to it any more: segments that vanished in joins, chunks of
 * nodes. See docs/internals/protocol.md, "Departures".
 */
import {
  BLOCK_WORDS,
  CHUNK_NEXT,
  FEATURE_JOINS,
  HEADER_DEPARTURES,
  HEADER_DIRECTORY_MUTEX,
  HEADER_FEATURES,
  HEADER_GONE_CHUNKS,
  HEADER_GONE_SEGMENTS,
  HEADER_LEAVING_CHUNKS,
  HEADER_LEAVING_SEGMENTS,
  NODE_BYTES,
  REGISTRY_THREADS,
  SEGMENT_NEXT,
  THREAD_DEPARTURES,
  THREAD_KERNEL_ID,
} from '../../../format/layout.js'
import { SEGMENT_WORDS } from '../../../format/directory.js'
import { pairsOf, type Region } from '../../../format/region.js'
import { threadRecordAt } from '../../../format/thread-record.js'
import type { Core } from '../core.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { whileNoTakeover } from '../threads/takeover.js'
import { NO_PATIENCE } from '../threads/wait-budget.js'

/** Returns whether segments may vanish: not in regions of earlier versions, whose threads heed nothing. */
export function mayJoin(words: Int32Array): boolean {
  return (words[HEADER_FEATURES] & FEATURE_JOINS) !== 0
}

/** Adds a segment that no directory entry will name any more. Needs the directory mutex. */
export function noteGoneSegment(words: Int32Array, segment: number): void {
  words[segment * BLOCK_WORDS + SEGMENT_NEXT] = words[HEADER_GONE_SEGMENTS]
  Atomics.store(words, HEADER_GONE_SEGMENTS, segment)
}

/** Adds a chunk of nodes that no partition names. Needs the directory mutex. */
export function noteGoneChunk(words: Int32Array, chunk: number): void {
  words[chunk * BLOCK_WORDS + CHUNK_NEXT] = words[HEADER_GONE_CHUNKS]
  Atomics.store(words, HEADER_GONE_CHUNKS, chunk)
}

/**
 * Gives back what no thread can look at any more, and begins the next round. Waits for nobody. The thread must hold
 * nothing, and use nothing afterwards that it found before. Returns whether anything was given back.
 */
export function giveBackDeparted(core: Core): boolean {
  const { words, budget } = core
  if (!hasLeaving(words) && !hasGone(words)) return false
  // A thread that takes over from the dead has perhaps no record, and looks at segments.
  return (
    budget.with(NO_PATIENCE, () =>
      whileNoTakeover(words, () => {
        if (!lockMutex(budget, HEADER_DIRECTORY_MUTEX)) return false
        let gave = false
        for (let rounds = 0; rounds < 2; rounds++) {
          if (!hasLeaving(words)) {
            if (!hasGone(words)) break
            beginRound(words)
          }
          core.heedDepartures()
          if (!haveAllHeeded(words)) break
          giveBackLeaving(core)
          gave = true
        }
        unlockMutex(words, HEADER_DIRECTORY_MUTEX)
        return gave
      }),
    ) ?? false
  )
}

/**
 * Begins a round: what is gone leaves as soon as every thread has begun an operation since. The number comes first: if
 * this thread dies then, it stands for a round in which nothing leaves.
 */
function beginRound(words: Int32Array): void {
  Atomics.add(words, HEADER_DEPARTURES, 1)
  Atomics.store(words, HEADER_LEAVING_SEGMENTS, Atomics.load(words, HEADER_GONE_SEGMENTS))
  Atomics.store(words, HEADER_GONE_SEGMENTS, 0)
  Atomics.store(words, HEADER_LEAVING_CHUNKS, Atomics.load(words, HEADER_GONE_CHUNKS))
  Atomics.store(words, HEADER_GONE_CHUNKS, 0)
}

function hasLeaving(words: Int32Array): boolean {
  return (Atomics.load(words, HEADER_LEAVING_SEGMENTS) | Atomics.load(words, HEADER_LEAVING_CHUNKS)) !== 0
}

function hasGone(words: Int32Array): boolean {
  return (Atomics.load(words, HEADER_GONE_SEGMENTS) | Atomics.load(words, HEADER_GONE_CHUNKS)) !== 0
}

/**
 * Returns whether every thread has begun an operation since the round began. A record that is taken after the look was
 * not taken when the round began, either: its thread finds the directory without what has gone.
 */
function haveAllHeeded(words: Int32Array): boolean {
  const pairs = pairsOf(words)
  const departures = Atomics.load(words, HEADER_DEPARTURES)
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    const at = threadRecordAt(index)
    if (Atomics.load(pairs, (at + THREAD_KERNEL_ID) / 2) === 0n) continue
    if (Atomics.load(words, at + THREAD_DEPARTURES) !== departures) return false
  }
  return true
}

function giveBackLeaving(core: Core): void {
  const { region, blocks } = core
  for (;;) {
    const segment = takeFirst(region, HEADER_LEAVING_SEGMENTS, SEGMENT_NEXT, SEGMENT_WORDS)
    if (segment === 0) break
    blocks.freeAtOnce(segment)
  }
  for (;;) {
    const chunk = takeFirst(region, HEADER_LEAVING_CHUNKS, CHUNK_NEXT, NODE_BYTES / 4)
    if (chunk === 0) break
    blocks.freePages(chunk)
  }
}

/**
 * Takes the first of a list whose links are the word `link` of its members; 0 if it is empty or damaged. What is taken
 * and not given back, because this thread dies, is lost until a repair.
 */
function takeFirst(region: Region, list: number, link: number, size: number): number {
  const { words } = region
  const first = Atomics.load(words, list)
  if (first === 0) return 0
  const isSound = region.contains(first, size)
  Atomics.store(words, list, isSound ? words[first * BLOCK_WORDS + link] : 0)
  return isSound ? first : 0
}
