/** Beginning to watch. See docs/internals/protocol.md, "Change feed", and native/core/feed/watch.h. */
import { FEATURE_FEED, HEADER_FEATURES, HEADER_FEED, THREAD_WATCHES } from '../../../format/layout.js'
import { beginWatching, feedBytes } from '../../../format/feed.js'
import { DONE, FULL } from '../../engine.js'
import type { Core } from '../core.js'
import { FIXED } from '../memory/heap.js'
import { takeOverFromDead } from '../threads/takeover.js'
import { ALL_PATIENCE } from '../threads/wait-budget.js'
import { cleanUpAll } from '../write/cleanup.js'
import { makeRoomByMoving } from '../write/compaction.js'

/**
 * Makes the ring, if there is none, and has this thread watch. Takes over from the dead first, so that their last changes
 * are known to be missing.
 */
export function watch(core: Core): void {
  const { words, blocks, thread } = core
  takeOverFromDead(words)
  if (Atomics.load(words, HEADER_FEED) === 0) {
    const bytes = feedBytes(words)
    const block = allocateRing(core, bytes)
    if (block <= 0) {
      core.end(block)
      return
    }
    // Before there is anything that a process which does not know the feed must not touch.
    Atomics.or(words, HEADER_FEATURES, FEATURE_FEED)
    if (Atomics.compareExchange(words, HEADER_FEED, 0, block) !== 0) blocks.free(block, bytes)
  }
  if (words[thread.at + THREAD_WATCHES] === 0) beginWatching(words, thread.at)
  core.end(DONE)
}

/** Returns a block for the ring; for want of memory as a write gets one: by evicting, or by cleaning up and moving. */
function allocateRing(core: Core, bytes: number): number {
  const { blocks, evictor } = core
  const block = blocks.allocate(bytes, FIXED)
  if (block > 0 || block !== FULL) return block
  if (evictor !== undefined) return evictor.makeFixedRoom(bytes)
  cleanUpAll(core, ALL_PATIENCE)
  blocks.flush()
  return makeRoomByMoving(core, bytes, FIXED)
}
