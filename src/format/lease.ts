/**
 * Leases: entries that hold a key's place while its value is being loaded. See docs/internals/protocol.md, "Loads". For
 * all calls except loads, the key is absent. An entry is given by its block number.
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
import { valueKindOf, VERSION_HIGH_MASK } from './entry.js'
import { isLeaseKind } from './kinds.js'

/** Returns whether the entry is a lease, lapsed or not. */
export function isLease(words: Int32Array, block: number): boolean {
  return isLeaseKind(valueKindOf(words[block * BLOCK_WORDS + ENTRY_META]))
}

/** Returns whether the entry is a lease that a deletion has to lapse. */
export function canLapse(words: Int32Array, block: number): boolean {
  return valueKindOf(words[block * BLOCK_WORDS + ENTRY_META]) === VALUE_LEASE
}

/**
 * Lapses a lease, for a deletion: the lease stays, so that waiting calls get their value, but with another version, so
 * that the value is not stored. It is changed in place, since a deletion must not need memory; the bucket of its slot
 * and `home` are held. A reader that meets a half-made change meets the new kind with the old version, and its write on
 * condition of that version fails: the kind is stored first, and read last (`find` in engine.ts).
 */
export function lapse(words: Int32Array, block: number, home: number): void {
  const entry = block * BLOCK_WORDS
  const next = (words[home + BUCKET_VERSION] + 1) | 0
  const epoch = words[home + BUCKET_EPOCH] + (next === 0 ? 1 : 0)
  const meta = words[entry + ENTRY_META] & ~(VALUE_KIND_MASK << VALUE_KIND_SHIFT)
  Atomics.store(words, entry + ENTRY_META, meta | (VALUE_LAPSED_LEASE << VALUE_KIND_SHIFT))
  Atomics.store(words, entry + ENTRY_VERSION, (epoch << 31) | (next >>> 1))
  const labels = words[entry + ENTRY_VERSION + 1] & ~VERSION_HIGH_MASK
  Atomics.store(words, entry + ENTRY_VERSION + 1, (epoch >>> 1) | labels)
}
