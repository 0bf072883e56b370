/** The takeover from threads that died in the middle of an operation. See docs/internals/protocol.md, "Death". */
import {
  ALL_BUCKETS,
  BLOCK_BYTES,
  BLOCK_WORDS,
  BUCKET_SLOTS,
  BUCKET_VERSION,
  BUCKET_WORDS,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  ENTRY_DATA,
  ENTRY_HASH,
  HEADER_DIRECTORY,
  HEADER_DIRECTORY_MUTEX,
  HEADER_FEED,
  HEADER_FEED_MUTEX,
  HEADER_GONE_CHUNKS,
  HEADER_GONE_SEGMENTS,
  HEADER_HEAP_MUTEX,
  HEADER_LEAVING_SEGMENTS,
  HEADER_SHAPE_MUTEX,
  HEADER_TAKEOVER,
  HEADER_SEGMENT_COUNT,
  HOME_BUCKETS,
  MAX_DEPTH,
  PARTITION_MUTEX,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  SEGMENT_DEPTH,
  SEGMENT_MOVES,
  SEGMENT_MUTEX,
  SEGMENT_NEXT,
  SEGMENT_PREFIX,
  SEGMENT_TOMBSTONES,
  SLOTS_PER_BUCKET,
  THREAD_CLAIM,
  THREAD_SIZE_DELTA,
  THREAD_WAITING,
  THREAD_WRITE_REFERENCE,
  THREAD_WRITE_SIZE,
  THREAD_WRITE_SLOT,
  THREAD_WRITE_VERSION,
} from '../../../format/layout.js'
import { publish, release, step, tryHold, vacate } from '../index/bucket.js'
import { bucketAt, homeOf, neighbourOf, tagOf, loadSlot } from '../../../format/bucket.js'
import { SEGMENT_WORDS, topBits } from '../../../format/directory.js'
import { partitionsOf, reserveMutexAt } from '../../../format/eviction-area.js'
import { EvictionQueues, NO_ENTRIES } from '../eviction/queues.js'
import { noteMissed, unwatchIfNobody } from '../../../format/feed.js'
import { Heap } from '../memory/heap.js'
import { isGone, locksOf, ownKernelId } from './liveness.js'
import { isAnyDead, Owners } from './owners.js'
import { pairsOf, Region } from '../../../format/region.js'
import { ShapeAppender } from '../shapes/shape-table.js'
import { bringHome, maxSegments } from '../write/restructure.js'
import { monotonic } from '../../../platform/system-clock.js'
import { threadRecordAt } from '../../../format/thread-record.js'

/**
 * Wait for an optimistic writer to let go of one bucket, in milliseconds; much longer than it takes, unless the writer
 * is stopped.
 */
const BUCKET_PATIENCE_MS = 20
const SEGMENT_BLOCKS = SEGMENT_BYTES / BLOCK_BYTES

/**
 * Finishes or undoes the unfinished work of dead threads, lets go of all they held, and frees their records. Steps that
 * are impossible yet, because a living thread may hold the same bucket, are left for the next call. A system call for
 * every attached thread; O(segments) if one is dead.
 *
 * Thread safety: any thread may call it, attached or not, no matter what it holds. One thread at a time does the work;
 * the others return at once.
 * @returns false if a thread is dead, and another thread is taking over from it
 */
export function takeOverFromDead(words: Int32Array): boolean {
  if (!isAnyDead(words)) return true
  return (
    whileNoTakeover(words, () => {
      new Takeover(words).run()
      return true
    }) ?? false
  )
}

/** Calls `act` while no other thread takes over; undefined, without a call, if one does. */
export function whileNoTakeover<T>(words: Int32Array, act: () => T): T | undefined {
  const locks = locksOf(words)
  if (!(locks?.tryLockTakeover() ?? lockTakeover(words))) return undefined
  try {
    return act()
  } finally {
    if (locks === undefined) Atomics.store(pairsOf(words), HEADER_TAKEOVER / 2, 0n)
    else locks.unlockTakeover()
  }
}

/**
 * Takes the takeover lock, which one thread at a time can hold. It needs no record, because a thread that found no free
 * record must be able to take over. In a file it is a lock of the system, which ends with its holder. In the memory of
 * one process, as here, it is a name, which is taken from a dead holder, or cleared by the code that runs after the
 * holder's last step.
 */
function lockTakeover(words: Int32Array): boolean {
  const pairs = pairsOf(words)
  const holder = Atomics.load(pairs, HEADER_TAKEOVER / 2)
  if (holder !== 0n && !isGone(holder)) return false
  return Atomics.compareExchange(pairs, HEADER_TAKEOVER / 2, holder, ownKernelId(words)) === holder
}

interface Listed {
  readonly block: number
  /** Number of directory entries that name the segment. */
  entries: number
}

/** One takeover. Every step can be repeated from its beginning, since the thread that takes over may die as well. */
class Takeover {
  private readonly region: Region
  private readonly owners: Owners
  private readonly segments: Listed[] = []
  private directoryDepth = 0

  constructor(private readonly words: Int32Array) {
    this.region = new Region(words.buffer)
    this.owners = new Owners(this.region)
  }

  run(): void {
    const { owners } = this
    try {
      owners.seize()
      this.finishFeed()
      this.finishHeap()
      this.finishDirectory()
      this.finishShapes()
      this.listSegments()
      owners.forEachDead((index) => this.settleWrite(index))
      owners.forEachDead((index) => this.releaseBucket(index))
      this.finishGone()
      this.finishSegments()
      this.finishPartitions()
      owners.forEachDead((index) => owners.free(index))
      unwatchIfNobody(this.words)
    } finally {
      owners.release()
    }
  }

  private load(word: number): number {
    return Atomics.load(this.words, word)
  }

  private store(word: number, value: number): void {
    Atomics.store(this.words, word, value)
  }

  /**
   * A thread that died while it held something may have changed a key and told nobody. Noted first, while its record
   * still says what it held.
   */
  private finishFeed(): void {
    const claiming: number[] = []
    this.owners.forEachDead((index) => {
      if (this.load(threadRecordAt(index) + THREAD_CLAIM) !== 0) claiming.push(index)
    })
    if (claiming.length > 0 && this.load(HEADER_FEED) !== 0) noteMissed(this.words)
    if (this.owners.deadOwner(this.load(HEADER_FEED_MUTEX)) >= 0) this.store(HEADER_FEED_MUTEX, 0)
  }

  private finishHeap(): void {
    if (this.owners.deadOwner(this.load(HEADER_HEAP_MUTEX)) < 0) return
    new Heap(this.region).rollBack()
    this.store(HEADER_HEAP_MUTEX, 0)
  }

  /**
   * Completes an interrupted assignment of directory entries: where a deeper segment was about to replace another,
   * either some entries name it already, or none does.
   */
  private finishDirectory(): void {
    if (this.owners.deadOwner(this.load(HEADER_DIRECTORY_MUTEX)) < 0) return
    const entries = this.openDirectory()
    if (entries < 0) return
    const count = 2 ** this.directoryDepth
    let segments = 0
    for (let i = 0; i < count; i++) {
      const segment = this.load(entries + i)
      if (i > 0 && segment === this.load(entries + i - 1)) continue
      if (!this.region.contains(segment, SEGMENT_WORDS)) return
      segments++
      const depth = this.load(segment * BLOCK_WORDS + SEGMENT_DEPTH)
      if (depth < 0 || depth > this.directoryDepth) return
      const first = topBits(this.load(segment * BLOCK_WORDS + SEGMENT_PREFIX), this.directoryDepth)
      const end = Math.min(count, first + 2 ** (this.directoryDepth - depth))
      for (let j = first; j < end; j++) {
        const other = this.load(entries + j)
        if (other === segment || !this.region.contains(other, SEGMENT_WORDS)) continue
        if (this.load(other * BLOCK_WORDS + SEGMENT_DEPTH) < depth) this.store(entries + j, segment)
      }
    }
    this.store(HEADER_SEGMENT_COUNT, segments)
    this.finishDepartures(entries)
    this.store(HEADER_DIRECTORY_MUTEX, 0)
  }

  private finishShapes(): void {
    if (this.owners.deadOwner(this.load(HEADER_SHAPE_MUTEX)) < 0) return
    new ShapeAppender(this.region).finishAppend()
    this.store(HEADER_SHAPE_MUTEX, 0)
  }

  /**
   * Parts the lists of what departs. Both are one if a round was cut off as it began. A join that was cut off noted a
   * segment as gone that the directory names.
   */
  private finishDepartures(entries: number): void {
    for (const gone of [HEADER_GONE_SEGMENTS, HEADER_GONE_CHUNKS])
      if (this.load(gone) === this.load(gone + 1)) this.store(gone, 0)
    const segment = this.load(HEADER_GONE_SEGMENTS)
    if (segment === 0 || !this.region.contains(segment, SEGMENT_WORDS)) return
    const at = segment * BLOCK_WORDS
    if (this.load(entries + topBits(this.load(at + SEGMENT_PREFIX), this.directoryDepth)) !== segment) return
    this.store(HEADER_GONE_SEGMENTS, this.load(at + SEGMENT_NEXT))
  }

  /**
   * Returns the word index of the directory's entries, and sets {@link Takeover.directoryDepth} for their number; -1 if
   * the directory is damaged.
   */
  private openDirectory(): number {
    const directory = this.load(HEADER_DIRECTORY)
    if (!this.region.contains(directory, DIRECTORY_ENTRIES)) return -1
    const depth = this.load(directory * BLOCK_WORDS + DIRECTORY_DEPTH)
    if (depth < 0 || depth > MAX_DEPTH || !this.region.contains(directory, DIRECTORY_ENTRIES + 2 ** depth)) return -1
    this.directoryDepth = depth
    return directory * BLOCK_WORDS + DIRECTORY_ENTRIES
  }

  private listSegments(): void {
    const entries = this.openDirectory()
    if (entries < 0) return
    for (let i = 0; i < 2 ** this.directoryDepth; i++) {
      const block = this.load(entries + i)
      if (!this.region.contains(block, SEGMENT_WORDS)) continue
      const last = this.segments.at(-1)
      if (last?.block === block) last.entries++
      else this.segments.push({ block, entries: 1 })
    }
  }

  /** Returns the segment that the bucket in block `bucket` belongs to, or 0. */
  private segmentOf(bucket: number): number {
    return this.segments.find(({ block }) => bucket >= block && bucket < block + SEGMENT_BLOCKS)?.block ?? 0
  }

  /**
   * Returns whether a bucket, given by its first word, with the odd `version` is certainly a dead thread's: no living
   * thread has announced to take it, and the living holder of its segment's mutex, if there is one, waits for it.
   * Claims are made before the version becomes odd and end after that, so they can be read in between.
   */
  private isOrphan(bucket: number, version: number): boolean {
    const block = bucket / BLOCK_WORDS
    if (this.owners.isClaimed(block)) return false
    const mark = this.load(this.segmentOf(block) * BLOCK_WORDS + SEGMENT_MUTEX)
    if (mark !== 0 && this.owners.deadOwner(mark) < 0) {
      const owner = (mark & 0xff) - 1
      if (owner < 0 || owner >= REGISTRY_THREADS) return false
      if (this.load(threadRecordAt(owner) + THREAD_WAITING) !== block) return false
    }
    return this.load(bucket + BUCKET_VERSION) === version
  }

  /**
   * Counts the write in which a thread died, if the write took place: it did if the thread noted so, or if its
   * reference lies in the slot of a bucket that is still as the thread held it.
   */
  private settleWrite(index: number): void {
    const { words } = this
    const at = threadRecordAt(index)
    const slot = this.load(at + THREAD_WRITE_SLOT) >>> 0
    if (slot === 0) return
    const version = this.load(at + THREAD_WRITE_VERSION)
    const bucket = slot - (slot % BUCKET_WORDS)
    let hasHappened = version === 0
    if (!hasHappened && this.segmentOf(bucket / BLOCK_WORDS) !== 0 && this.load(bucket + BUCKET_VERSION) === version) {
      if (!this.isOrphan(bucket, version)) {
        this.owners.leave(index)
        return
      }
      hasHappened = this.load(slot) === words[at + THREAD_WRITE_REFERENCE]
    }
    if (hasHappened) this.store(at + THREAD_SIZE_DELTA, words[at + THREAD_WRITE_SIZE])
    this.store(at + THREAD_WRITE_SLOT, 0)
  }

  /**
   * Lets go of the bucket that an optimistic writer held when it died. The slot is one word, from before or after the
   * write; only the tag may not match it.
   */
  private releaseBucket(index: number): void {
    const claim = this.load(threadRecordAt(index) + THREAD_CLAIM)
    const segment = this.segmentOf(claim)
    if (claim === 0 || segment === 0 || segment === claim) return
    if (this.owners.deadOwner(this.load(segment * BLOCK_WORDS + SEGMENT_MUTEX)) >= 0) return // see rebuild
    const bucket = claim * BLOCK_WORDS
    const version = this.load(bucket + BUCKET_VERSION)
    if ((version & 1) === 0) return
    if (!this.isOrphan(bucket, version)) {
      this.owners.leave(index)
      return
    }
    this.retag(bucket)
    release(this.words, bucket)
  }

  /** Makes every tag match its slot. */
  private retag(bucket: number): void {
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(this.words, bucket, slot)
      if (reference <= 0) vacate(this.words, bucket, slot, reference)
      else if (this.region.contains(reference, ENTRY_DATA)) {
        publish(this.words, bucket, slot, tagOf(this.words[reference * BLOCK_WORDS + ENTRY_HASH]), reference)
      }
    }
  }

  /**
   * Lets go of the segments that vanished in joins of dead threads. Before the segments that took their keys in are
   * released: a reader may still be in one, and must see its version change before a key changes.
   */
  private finishGone(): void {
    for (const list of [HEADER_GONE_SEGMENTS, HEADER_LEAVING_SEGMENTS]) {
      let segment = this.load(list)
      for (let left = maxSegments(this.words); left > 0 && segment !== 0; left--) {
        if (!this.region.contains(segment, SEGMENT_WORDS)) break
        const at = segment * BLOCK_WORDS
        if (this.owners.deadOwner(this.load(at + SEGMENT_MUTEX)) >= 0) this.letGoOfGone(segment)
        segment = this.load(at + SEGMENT_NEXT)
      }
    }
  }

  private letGoOfGone(segment: number): void {
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(segment, index)
      if ((this.load(bucket + BUCKET_VERSION) & 1) === 0) continue
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) vacate(this.words, bucket, slot, 0)
      release(this.words, bucket)
    }
    this.store(segment * BLOCK_WORDS + SEGMENT_MUTEX, 0)
  }

  /**
   * Finishes segments in the order of hashes: a segment that was being split must be released before its twin. See
   * docs/internals/protocol.md, "Split".
   */
  private finishSegments(): void {
    let inOrder = true
    for (const segment of this.segments) {
      const owner = this.owners.deadOwner(this.load(segment.block * BLOCK_WORDS + SEGMENT_MUTEX))
      if (owner < 0) continue
      inOrder &&= this.rebuild(segment)
      if (!inOrder) this.owners.leave(owner)
    }
  }

  /** Makes a segment whole from its references alone, no matter what its dead holder was doing, and lets go of it. */
  private rebuild({ block, entries }: Listed): boolean {
    const { words } = this
    if (!this.takeBuckets(block)) return false
    const at = block * BLOCK_WORDS
    if ((this.load(at + SEGMENT_MOVES) & 1) === 0) Atomics.add(words, at + SEGMENT_MOVES, 1)
    // The directory shows how far a split had come.
    const depth = this.directoryDepth - (31 - Math.clz32(entries))
    this.store(at + SEGMENT_DEPTH, depth)
    let tombstones = 0
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(block, index)
      this.dropStrays(block, depth, index)
      this.retag(bucket)
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) if (loadSlot(words, bucket, slot) < 0) tombstones++
    }
    bringHome(this.region, block)
    this.store(at + SEGMENT_TOMBSTONES, tombstones)
    Atomics.add(words, at + SEGMENT_MOVES, 1)
    for (let index = 0; index < ALL_BUCKETS; index++) release(words, bucketAt(block, index))
    this.store(at + SEGMENT_MUTEX, 0)
    return true
  }

  /**
   * Takes every bucket of a segment whose mutex is a dead thread's. Buckets that the dead thread held get another odd
   * version, so that no reader takes this thread's changes and the dead one's for a single change. Returns false, and
   * releases the buckets taken, if a living thread is in the way.
   */
  private takeBuckets(segment: number): boolean {
    const taken: number[] = []
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(segment, index)
      const deadline = monotonic() + BUCKET_PATIENCE_MS
      for (;;) {
        const version = this.load(bucket + BUCKET_VERSION)
        if ((version & 1) === 0) {
          if (!tryHold(this.words, bucket, version)) continue
          taken.push(bucket)
          break
        }
        if (this.isOrphan(bucket, version)) {
          step(this.words, bucket)
          break
        }
        if (monotonic() < deadline) continue
        for (const held of taken) release(this.words, held)
        return false
      }
    }
    return true
  }

  /** Empties the slots of bucket `index` that an interrupted split or move would have emptied. */
  private dropStrays(segment: number, depth: number, index: number): void {
    const { words } = this
    const prefix = this.load(segment * BLOCK_WORDS + SEGMENT_PREFIX)
    const bucket = bucketAt(segment, index)
    for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
      const reference = loadSlot(words, bucket, slot)
      if (reference <= 0 || !this.region.contains(reference, ENTRY_DATA)) continue
      const hash = words[reference * BLOCK_WORDS + ENTRY_HASH]
      const home = homeOf(hash)
      const hasLeft = topBits(hash, depth) !== topBits(prefix, depth)
      const hasMoved =
        (index !== home && this.holds(segment, home, reference)) ||
        (index >= HOME_BUCKETS && this.holds(segment, neighbourOf(home), reference))
      if (hasLeft || hasMoved) vacate(words, bucket, slot, 0)
    }
  }

  private holds(segment: number, index: number, reference: number): boolean {
    const slots = bucketAt(segment, index) + BUCKET_SLOTS
    return this.words.subarray(slots, slots + SLOTS_PER_BUCKET).includes(reference)
  }

  /**
   * Rebuilds the partitions of dead holders: no matter what they were doing, the states of the nodes show which are in
   * use.
   */
  private finishPartitions(): void {
    const reserve = reserveMutexAt(this.region)
    if (reserve !== 0 && this.owners.deadOwner(this.load(reserve)) >= 0) this.store(reserve, 0)
    for (const at of partitionsOf(this.region)) {
      if (this.owners.deadOwner(this.load(at + PARTITION_MUTEX)) < 0) continue
      new EvictionQueues(this.words, at, NO_ENTRIES).rebuild()
      this.store(at + PARTITION_MUTEX, 0)
    }
  }
}
