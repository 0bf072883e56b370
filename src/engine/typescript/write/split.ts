/** Growth: a segment becomes two, by the next bit of the hash. See docs/internals/protocol.md, "Split", for the steps' order. */
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_VERSION,
  ENTRY_DATA,
  ENTRY_HASH,
  HEADER_DIRECTORY,
  HEADER_DIRECTORY_MUTEX,
  HEADER_SEGMENT_COUNT,
  MAX_DEPTH,
  SEGMENT_BYTES,
  SEGMENT_DEPTH,
  SEGMENT_EXPIRY,
  SEGMENT_LABELLED,
  SEGMENT_MOVES,
  SEGMENT_MUTEX,
  SEGMENT_PARTED,
  SEGMENT_PREFIX,
  SLOTS_PER_BUCKET,
} from '../../../format/layout.js'
import { CORRUPT, DONE, FULL, TIMEOUT } from '../../engine.js'
import { publish, vacate } from '../index/bucket.js'
import { bucketAt, loadSlot, loadTag } from '../../../format/bucket.js'
import type { Core } from '../core.js'
import { assignSegment, doubleDirectory } from '../index/directory.js'
import { depthOf, directoryBytes, SEGMENT_WORDS } from '../../../format/directory.js'
import { FIXED } from '../memory/heap.js'
import { lockMutex, unlockMutex } from '../threads/mutex.js'
import { bringHome, holdSegment, releaseSegment, sweepTombstones } from './restructure.js'

/**
 * Bound on the directory's size, as a multiple of the size that the number of segments needs. Random keys stay below 8;
 * only keys with equal hashes reach the bound, and doubling does not separate those.
 */
const MAX_SKEW = 16
const SKEW_ALLOWANCE = 64

/**
 * Splits a segment whose mutex is held. Status DONE; FULL if there is no memory for it or the hashes cannot be
 * separated; TIMEOUT; or CORRUPT. Unless DONE, nothing is changed.
 */
export function split(core: Core, segment: number): number {
  const { words } = core
  const at = segment * BLOCK_WORDS
  const depth = words[at + SEGMENT_DEPTH]
  if (depth < 0 || depth >= MAX_DEPTH) return FULL
  const twin = core.blocks.allocate(SEGMENT_BYTES, FIXED)
  if (twin < 0) return twin
  let status = deepenDirectory(core, depth)
  if (status === DONE && !holdSegment(core, segment)) status = TIMEOUT
  if (status !== DONE) {
    core.blocks.free(twin, SEGMENT_BYTES)
    return status
  }

  const bit = 1 << (31 - depth)
  sweepTombstones(core, segment)
  buildTwin(core, segment, twin, depth, bit)
  if (!lockMutex(core.budget, HEADER_DIRECTORY_MUTEX)) {
    abandon(core, segment, twin)
    return TIMEOUT
  }
  const isAssigned = assignSegment(core.region, twin, words[twin * BLOCK_WORDS + SEGMENT_PREFIX], depth + 1)
  if (isAssigned) Atomics.add(words, HEADER_SEGMENT_COUNT, 1)
  unlockMutex(words, HEADER_DIRECTORY_MUTEX)
  if (!isAssigned) {
    abandon(core, segment, twin)
    return CORRUPT
  }

  Atomics.store(words, at + SEGMENT_DEPTH, depth + 1)
  emptyUpperHalf(core, segment, bit)
  bringHome(core.region, segment)
  // The old segment is released first: until its release a reader may still find a moved key there, so no thread may
  // write the key yet.
  releaseSegment(words, segment)
  releaseSegment(words, twin)
  unlockMutex(words, twin * BLOCK_WORDS + SEGMENT_MUTEX)
  core.unlinked.freeAll()
  return DONE
}

/** Releases a segment whose twin cannot be published. */
function abandon(core: Core, segment: number, twin: number): void {
  releaseSegment(core.words, segment)
  core.blocks.free(twin, SEGMENT_BYTES)
  core.unlinked.freeAll()
}

/** Makes the directory deeper than `depth`, unless it is so already. */
function deepenDirectory(core: Core, depth: number): number {
  const { words } = core
  if (!lockMutex(core.budget, HEADER_DIRECTORY_MUTEX)) return TIMEOUT
  let status = DONE
  const directory = Atomics.load(words, HEADER_DIRECTORY)
  const directoryDepth = depthOf(core.region, directory)
  if (directoryDepth < depth) status = CORRUPT
  else if (directoryDepth === depth) {
    if (2 ** (depth + 1) > MAX_SKEW * Atomics.load(words, HEADER_SEGMENT_COUNT) + SKEW_ALLOWANCE) status = FULL
    else {
      const next = core.blocks.allocate(directoryBytes(depth + 1), FIXED)
      if (next > 0) doubleDirectory(words, directory, depth, next)
      else status = next
    }
  }
  unlockMutex(words, HEADER_DIRECTORY_MUTEX)
  return status
}

/** Makes block `twin` a held, unpublished copy of the upper half of a held segment without tombstones. */
function buildTwin(core: Core, segment: number, twin: number, depth: number, bit: number): void {
  const { words } = core
  const to = twin * BLOCK_WORDS
  words.fill(0, to, to + SEGMENT_WORDS)
  words[to + SEGMENT_MUTEX] = core.thread.mark
  words[to + SEGMENT_DEPTH] = depth + 1
  words[to + SEGMENT_PREFIX] = words[segment * BLOCK_WORDS + SEGMENT_PREFIX] | bit
  words[to + SEGMENT_MOVES] = 1
  words[to + SEGMENT_PARTED] = words[segment * BLOCK_WORDS + SEGMENT_PARTED]
  // The hint is no later than the first expiry in either half.
  words[to + SEGMENT_EXPIRY] = Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_EXPIRY)
  words[to + SEGMENT_LABELLED] = Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_LABELLED)
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const source = bucketAt(segment, index)
    const target = bucketAt(twin, index)
    words[target + BUCKET_VERSION] = words[source + BUCKET_VERSION]
    words[target + BUCKET_EPOCH] = words[source + BUCKET_EPOCH]
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, source, slot)
      if (isInHalf(core, reference, bit)) publish(words, target, slot, loadTag(words, source, slot), reference)
    }
  }
  bringHome(core.region, twin)
}

function emptyUpperHalf(core: Core, segment: number, bit: number): void {
  const { words } = core
  for (let index = 0; index < ALL_BUCKETS; index++) {
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      if (isInHalf(core, loadSlot(words, bucket, slot), bit)) vacate(words, bucket, slot, 0)
    }
  }
}

/** Returns whether a reference is to an entry whose hash has `bit`. */
function isInHalf(core: Core, reference: number, bit: number): boolean {
  return core.region.contains(reference, ENTRY_DATA) && (core.words[reference * BLOCK_WORDS + ENTRY_HASH] & bit) !== 0
}
