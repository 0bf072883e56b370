/**
 * The change feed: a ring of what happened to keys, which threads that watch the map read. See
 * docs/internals/protocol.md, "Change feed", and docs/internals/format.md.
 *
 * Thread safety: any thread.
 */
import {
  BLOCK_WORDS,
  FEED_PART,
  HEADER_FEED,
  HEADER_FEED_LOST,
  HEADER_FEED_WATCHED,
  MAX_FEED_BYTES,
  MIN_FEED_BYTES,
  REGISTRY_THREADS,
  THREAD_WATCHES,
} from './layout.js'
import type { Region } from './region.js'
import { threadRecordAt } from './thread-record.js'

/** Returns the bytes of the ring: the same for every thread, since the region's size decides. A power of two. */
export function feedBytes(words: Int32Array): number {
  const part = 2 ** Math.floor(Math.log2(words.byteLength / FEED_PART))
  return Math.min(MAX_FEED_BYTES, Math.max(MIN_FEED_BYTES, part))
}

/** Returns the first word of the ring; 0 if there is none, or none can lie where the header says. */
export function feedRing(region: Region): number {
  const block = Atomics.load(region.words, HEADER_FEED)
  return region.contains(block, feedBytes(region.words) / 4) ? block * BLOCK_WORDS : 0
}

/** Returns whether any thread watches. All that a writer pays while none does. */
export function isWatched(words: Int32Array): boolean {
  return (Atomics.load(words, HEADER_FEED_WATCHED) & 1) !== 0
}

/** Notes that a change may be missing in the ring: every watcher learns that it may have missed some. */
export function noteMissed(words: Int32Array): void {
  Atomics.add(words, HEADER_FEED_LOST, 1)
}

/**
 * Has the thread with the record at word `record` watch. Whatever it reads afterwards is as every write left it that does
 * not tell.
 */
export function beginWatching(words: Int32Array, record: number): void {
  Atomics.store(words, record + THREAD_WATCHES, 1)
  // The word grows with every watcher, so that who is about to find nobody watching fails to say so.
  for (;;) {
    const seen = Atomics.load(words, HEADER_FEED_WATCHED)
    if (Atomics.compareExchange(words, HEADER_FEED_WATCHED, seen, (seen + 2) | 1 | 0) === seen) return
  }
}

/** Has that thread no longer watch. */
export function endWatching(words: Int32Array, record: number): void {
  Atomics.store(words, record + THREAD_WATCHES, 0)
  unwatchIfNobody(words)
}

/** Has writers tell no longer if no record says that its thread watches. */
export function unwatchIfNobody(words: Int32Array): void {
  const seen = Atomics.load(words, HEADER_FEED_WATCHED)
  if ((seen & 1) === 0) return
  for (let index = 0; index < REGISTRY_THREADS; index++) {
    if (Atomics.load(words, threadRecordAt(index) + THREAD_WATCHES) !== 0) return
  }
  Atomics.compareExchange(words, HEADER_FEED_WATCHED, seen, seen & ~1)
}
