import {
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_SLOTS,
  ENTRY_HASH,
  ENTRY_VERSION,
  SLOTS_PER_BUCKET,
} from '../../format/layout.js'
import { VERSION_HIGH_MASK } from '../../format/entry.js'
import { WEAKLY_ORDERED } from '../../format/region.js'
import type { NearEntry } from './near-entry.js'

/**
 * Loads a word before all that is loaded later. A plain load is enough where the processor keeps loads in order: see
 * docs/decisions/2026-11-20-near-hits-load-plainly.md.
 */
export function loadInOrder(words: Int32Array, index: number): number {
  return WEAKLY_ORDERED ? Atomics.load(words, index) : words[index]
}

/**
 * Takes the present version of the home bucket for `entry`, if the entry is unchanged: most writes that raise a
 * bucket's version are of other keys. Some loads, where asking the engine costs a call.
 *
 * *Why it was unchanged* when the slot was loaded: a slot of its home led to its block, and the block, later, still held
 * an entry of its hash and version. Entries of one hash have one home, and no home gives a version twice, so it was the
 * entry that was read; and entries do not change: see docs/internals/protocol.md, "Near read". (Counters and leases do,
 * and have no place noted.) The version was loaded before all that, so a later hit at it is one of an unchanged bucket.
 *
 * Thread safety: any thread may write meanwhile.
 */
export function renew(words: Int32Array, entry: NearEntry): boolean {
  const { at, home } = entry
  if (at === 0) return false
  const version = Atomics.load(words, home)
  if ((version & 1) !== 0) return false
  const epoch = loadInOrder(words, home + BUCKET_EPOCH)
  const reference = at / BLOCK_WORDS
  const end = home + BUCKET_SLOTS + SLOTS_PER_BUCKET
  let slot = home + BUCKET_SLOTS
  while (slot < end && loadInOrder(words, slot) !== reference) slot++
  if (slot === end || loadInOrder(words, at + ENTRY_HASH) !== entry.hash) return false
  const low = loadInOrder(words, at + ENTRY_VERSION) >>> 0
  const high = loadInOrder(words, at + ENTRY_VERSION + 1) & VERSION_HIGH_MASK
  if (high * 2 ** 32 + low !== entry.entryVersion) return false
  entry.version = version
  entry.epoch = epoch
  return true
}
