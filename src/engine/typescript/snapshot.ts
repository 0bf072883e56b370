/** A copy of all entries at one instant. See docs/protocol.md, "Snapshot". */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  CLAIM_ALL,
  ENTRY_DATA,
  ENTRY_META,
  ENTRY_VALUE_LENGTH,
  SEGMENT_MUTEX,
  SLOTS_PER_BUCKET,
} from '../../region/layout.js'
import { CORRUPT, DONE, HASH_END, RESULT_LENGTH, TIMEOUT } from '../engine.js'
import { bucketAt, loadSlot } from './bucket.js'
import { endOf } from './cleanup.js'
import type { Core } from './core.js'
import { copyWords, keyLengthOf, wordsFor } from './entry.js'
import { lockMutex, unlockMutex } from './mutex.js'
import { holdBuckets, releaseBuckets } from './restructure.js'

/** Pieces this long are cheap to make beside filling them, and waste little at the end. */
const PIECE_WORDS = 2 ** 18

/** Ends with status DONE and the number of entries in RESULT_LENGTH; with TIMEOUT or CORRUPT nothing is returned. */
export function takeSnapshot(core: Core): Int32Array<ArrayBuffer>[] {
  const held: number[] = []
  const copy = new Copy(core)
  core.thread.claim(CLAIM_ALL)
  let status: number
  let released = 0
  try {
    status = holdAll(core, held)
    // Now no write is under way anywhere: this is the instant.
    for (; released < held.length; released++) {
      if (status === DONE && !copy.addSegment(held[released])) status = CORRUPT
      letGo(core, held[released])
    }
  } finally {
    // Only if there was no memory for a piece.
    for (; released < held.length; released++) letGo(core, held[released])
    core.thread.clearClaim()
  }
  core.end(status)
  if (status !== DONE) return []
  core.result[RESULT_LENGTH] = copy.count
  return copy.finish()
}

/** Holds every segment, in the order of their hashes, and lists them. */
function holdAll(core: Core, held: number[]): number {
  const { words, lookup } = core
  for (let hash = 0; hash < HASH_END;) {
    const locked = lockUnderClaim(core, hash | 0)
    if (locked !== DONE) return locked
    const { segment } = lookup
    if (!holdBuckets(core, segment)) {
      unlockMutex(words, segment * BLOCK_WORDS + SEGMENT_MUTEX)
      return TIMEOUT
    }
    held.push(segment)
    const end = endOf(words, segment)
    if (end <= hash) return CORRUPT
    hash = end
  }
  return DONE
}

/** As lockSegment; but the thread claims everything already. */
function lockUnderClaim(core: Core, hash: number): number {
  const { words, lookup, thread } = core
  for (;;) {
    if (!lookup.locateSegment(hash)) return CORRUPT
    const mutex = lookup.segment * BLOCK_WORDS + SEGMENT_MUTEX
    if (!lockMutex(words, mutex, thread.mark)) {
      core.noteOwner(mutex)
      return TIMEOUT
    }
    if (lookup.stillMaps()) return DONE
    unlockMutex(words, mutex) // it was split while we waited
  }
}

function letGo(core: Core, segment: number): void {
  releaseBuckets(core.words, segment)
  unlockMutex(core.words, segment * BLOCK_WORDS + SEGMENT_MUTEX)
}

/** Entries as they lie in the region, one after the other, in pieces. None is cut in two. */
class Copy {
  count = 0
  private readonly full: Int32Array<ArrayBuffer>[] = []
  private piece = new Int32Array(PIECE_WORDS)
  private used = 0

  constructor(private readonly core: Core) {}

  /** Copies the entries of a held segment. False if a reference or a length leads out of the region. */
  addSegment(segment: number): boolean {
    const { words } = this.core
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(segment, index)
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
        const reference = loadSlot(words, bucket, slot)
        if (reference > 0 && !this.addEntry(reference)) return false
      }
    }
    return true
  }

  finish(): Int32Array<ArrayBuffer>[] {
    return this.used === 0 ? this.full : [...this.full, this.piece.subarray(0, this.used)]
  }

  private addEntry(block: number): boolean {
    const { words, region } = this.core
    if (!region.contains(block, ENTRY_DATA)) return false
    const entry = block * BLOCK_WORDS
    const length =
      ENTRY_DATA + wordsFor(keyLengthOf(words[entry + ENTRY_META])) + wordsFor(words[entry + ENTRY_VALUE_LENGTH] >>> 0)
    if (!region.contains(block, length)) return false
    if (this.used + length > this.piece.length) this.turnOver(length)
    copyWords(words, entry, this.piece, this.used, length)
    this.used += length
    this.count++
    return true
  }

  private turnOver(words: number): void {
    if (this.used > 0) this.full.push(this.piece.subarray(0, this.used))
    this.piece = new Int32Array(Math.max(words, PIECE_WORDS))
    this.used = 0
  }
}
