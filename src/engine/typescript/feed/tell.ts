/** What writers do for the change feed. See docs/internals/protocol.md, "Change feed", and native/core/feed/tell.h. */
import {
  BLOCK_WORDS,
  CAUSE_INVALIDATED,
  CHANGE_CAUSE_SHIFT,
  CHANGE_HASH,
  CHANGE_KEY,
  CHANGE_META,
  CHANGE_VERSION,
  ENTRY_DATA,
  ENTRY_HASH,
  ENTRY_META,
  HEADER_FEED_HEAD,
  HEADER_FEED_LAPS,
  HEADER_FEED_MUTEX,
  HEADER_FEED_RESERVED,
  HEADER_FEED_WAIT,
  KEY_KIND_SHIFT,
  MAX_FEED_KEY_BYTES,
} from '../../../format/layout.js'
import { KEY_META_MASK, keyLengthOf, wordsFor } from '../../../format/entry.js'
import type { KeyBuffer } from '../../../format/key.js'
import { feedBytes, feedRing, noteMissed } from '../../../format/feed.js'
import type { Core } from '../core.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { LITTLE_PATIENCE } from '../threads/wait-budget.js'
import { wakeAt } from '../threads/waits.js'

/**
 * Notes that the key of the entry at `block` was changed, and why (one of the CAUSE constants), with the version of the
 * entry now, or of the deletion. To be called if the map is watched, after the change, while the key's home is still held:
 * so changes of a key are told in their order, and whoever reads of one finds it.
 */
export function tell(core: Core, block: number, cause: number, versionLow: number, versionHigh: number): void {
  const { words, region } = core
  core.hasTold = true
  const ring = feedRing(region)
  const entry = block * BLOCK_WORDS
  const meta = region.contains(block, ENTRY_DATA) ? words[entry + ENTRY_META] & KEY_META_MASK : 0
  const keyWords = wordsFor(Math.min(keyLengthOf(meta), MAX_FEED_KEY_BYTES))
  if (ring === 0 || meta === 0 || !region.contains(block, ENTRY_DATA + keyWords)) {
    noteMissed(words)
    return
  }
  const at = entry + ENTRY_DATA
  const change = {
    hash: words[entry + ENTRY_HASH],
    meta: meta | (cause << CHANGE_CAUSE_SHIFT),
    versionLow,
    versionHigh,
  }
  add(core, ring, change, words.subarray(at, at + keyWords))
}

/**
 * Notes that the label whose name is in `name` was invalidated. To be called if the map is watched, after the invalidation,
 * under a claim: should the thread die before, watchers learn that they may have missed some.
 */
export function tellLabel(core: Core, name: KeyBuffer, hash: number): void {
  core.hasTold = true
  const ring = feedRing(core.region)
  if (ring === 0) {
    noteMissed(core.words)
    return
  }
  const meta = name.length | (name.kind << KEY_KIND_SHIFT) | (CAUSE_INVALIDATED << CHANGE_CAUSE_SHIFT)
  const keyWords = wordsFor(Math.min(name.length, MAX_FEED_KEY_BYTES))
  add(core, ring, { hash, meta, versionLow: 0, versionHigh: 0 }, name.words.subarray(0, keyWords))
}

interface NewChange {
  readonly hash: number
  readonly meta: number
  readonly versionLow: number
  readonly versionHigh: number
}

/** Adds a change to the ring at word `ring`. */
function add(core: Core, ring: number, change: NewChange, key: Int32Array): void {
  const { words } = core
  // What is told took effect, and may not fail or be held up any more.
  const hasLock = core.budget.with(LITTLE_PATIENCE, () => lockMutex(core.budget, HEADER_FEED_MUTEX))
  if (!hasLock) {
    noteMissed(words)
    return
  }
  const head = words[HEADER_FEED_HEAD]
  const end = (head + Math.ceil((CHANGE_KEY + key.length) / BLOCK_WORDS)) | 0
  reserve(words, end)
  const mask = feedBytes(words) / 4 - 1
  const at = (head * BLOCK_WORDS) & mask
  // Atomic stores: a reader that meets one of them meets what was reserved.
  Atomics.store(words, ring + ((at + CHANGE_HASH) & mask), change.hash)
  Atomics.store(words, ring + ((at + CHANGE_META) & mask), change.meta)
  Atomics.store(words, ring + ((at + CHANGE_VERSION) & mask), change.versionLow)
  Atomics.store(words, ring + ((at + CHANGE_VERSION + 1) & mask), change.versionHigh)
  for (let i = 0; i < key.length; i++) Atomics.store(words, ring + ((at + CHANGE_KEY + i) & mask), key[i])
  Atomics.store(words, HEADER_FEED_HEAD, end)
  unlockMutex(words, HEADER_FEED_MUTEX)
}

/**
 * Says, before the first word of what lay there is overwritten, that the ring will be written up to block `end`. What a
 * dead thread reserved stays so.
 */
function reserve(words: Int32Array, end: number): void {
  const reserved = words[HEADER_FEED_RESERVED]
  if (((end - reserved) | 0) <= 0) return
  if (end >>> 0 < reserved >>> 0) Atomics.store(words, HEADER_FEED_LAPS, (words[HEADER_FEED_LAPS] + 1) | 0)
  Atomics.store(words, HEADER_FEED_RESERVED, end)
}

/** Wakes the watchers if this thread has told anything since it last did. It holds nothing any more. */
export function wakeWatchers(core: Core): void {
  if (!core.hasTold) return
  core.hasTold = false
  wakeAt(core.words, HEADER_FEED_WAIT)
}
