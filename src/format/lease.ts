/**
 * Leases: entries that hold a key's place while its value is being loaded. See docs/internals/protocol.md, "Loads". To all but
 * those who load, the key is absent. An entry is given by its block number.
 */
import {
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_VERSION,
  ENTRY_META,
  ENTRY_VERSION,
  VALUE_KIND_MASK,
  VALUE_KIND_SHIFT,
  VALUE_LAPSED_LEASE,
  VALUE_LEASE,
} from './layout.js'
import { valueKindOf } from './entry.js'
import { isLeaseKind } from './kinds.js'

/** Whether the entry is a lease, lapsed or not. */
export function isLease(words: Int32Array, block: number): boolean {
  return isLeaseKind(valueKindOf(words[block * BLOCK_WORDS + ENTRY_META]))
}

/** Whether the entry is a lease that a deletion has to lapse. */
export function canLapse(words: Int32Array, block: number): boolean {
  return valueKindOf(words[block * BLOCK_WORDS + ENTRY_META]) === VALUE_LEASE
}

/**
 * What a deletion does to a lease: it stays, so that those who wait for it get their value, but with another version,
 * so that the value is not stored. Changed in place, since a deletion must not need memory; the bucket of its slot and
 * `home` are held. A reader that meets the change half way meets the new kind with the old version, and what it then
 * writes on condition of that version fails: the kind is stored first, and read last (`find` in engine.ts).
 */
export function lapse(words: Int32Array, block: number, home: number): void {
  const entry = block * BLOCK_WORDS
  const next = (words[home + BUCKET_VERSION] + 1) | 0
  const epoch = words[home + BUCKET_EPOCH] + (next === 0 ? 1 : 0)
  const meta = words[entry + ENTRY_META] & ~(VALUE_KIND_MASK << VALUE_KIND_SHIFT)
  Atomics.store(words, entry + ENTRY_META, meta | (VALUE_LAPSED_LEASE << VALUE_KIND_SHIFT))
  Atomics.store(words, entry + ENTRY_VERSION, (epoch << 31) | (next >>> 1))
  Atomics.store(words, entry + ENTRY_VERSION + 1, epoch >>> 1)
}
