/** Checks every structural invariant of a region at rest. */
import {
  ALL_BUCKETS,
  BLOCK_BYTES,
  BLOCK_WORDS,
  BUCKET_EPOCH,
  BUCKET_VERSION,
  DIRECTORY_DEPTH,
  DIRECTORY_ENTRIES,
  DIRECTORY_PREVIOUS,
  ENTRY_HASH,
  ENTRY_NODE,
  HEADER_DIRECTORY,
  HEADER_DIRECTORY_MUTEX,
  HEADER_FEED,
  HEADER_FEED_HEAD,
  HEADER_FEED_MUTEX,
  HEADER_FEED_RESERVED,
  HEADER_HEAP_MUTEX,
  HEADER_SEGMENT_COUNT,
  HOME_BUCKETS,
  MAX_DEPTH,
  NEIGHBOUR_MASK,
  REGISTRY_THREADS,
  SEGMENT_BYTES,
  SEGMENT_DEPTH,
  SEGMENT_EXPIRY,
  SEGMENT_LABELLED,
  HEADER_FEATURES,
  HEADER_LABEL_TABLES,
  FEATURE_LABELS,
  LABEL_GENERATION,
  LABEL_LEVELS,
  LABEL_SLOT_WORDS,
  LABEL_WORDS,
  MAX_ENTRY_LABELS,
  SEGMENT_MOVES,
  SEGMENT_MUTEX,
  SEGMENT_PREFIX,
  SLOTS_PER_BUCKET,
  STASH_SATURATED,
  THREAD_CLAIM,
  HEADER_GONE_SEGMENTS,
  HEADER_LEAVING_SEGMENTS,
  SEGMENT_NEXT,
  HEADER_GONE_CHUNKS,
  HEADER_LEAVING_CHUNKS,
  CHUNK_NEXT,
  CHUNK_NODES,
  NODE_BYTES,
  PAGE_BYTES,
} from '../layout.js'
import { atOnce, type Job } from '../../base/slices.js'
import {
  bucketAt,
  homeOf,
  neighbourOf,
  tagOf,
  TOMBSTONE_BIT,
  loadOverflow,
  loadSlot,
  loadTag,
  neighbourCount,
  stashCount,
} from '../bucket.js'
import { directoryBytes, SEGMENT_WORDS, topBits } from '../directory.js'
import { feedBytes, feedRing } from '../feed.js'
import { isLease } from '../lease.js'
import type { Region } from '../region.js'
import { threadRecordAt, sumOfSizeDeltas } from '../thread-record.js'
import { Problems } from './problems.js'
import { hashOf, isInside, problemsOfEntry, sameKey } from './verify-entry.js'
import { ShapeAudit } from './verify-shapes.js'
import { EvictionAudit } from './verify-eviction.js'
import { HeapAudit } from './verify-heap.js'
import { labelCountOf, labelsAt, sizeOf, versionOf } from '../entry.js'
import { tombstonesOf } from '../segment.js'
import { expiryTick, wasToBeKeptUntil } from '../expiry.js'
import { labelTableBytes } from '../labels.js'

/**
 * Returns one line for every invariant that is violated, up to a hundred; an empty list for a sound region. O(region).
 */
export function verify(region: Region): string[] {
  return atOnce(verifying(region))
}

/** Verifies as {@link verify} does, in steps. */
export function* verifying(region: Region): Job<string[]> {
  const verifier = new Verifier(region)
  yield* verifier.run()
  return verifier.problems.lines
}

/** What a step over a segment counts for: as many entries as it has room for. */
const SEGMENT_WORK = ALL_BUCKETS * SLOTS_PER_BUCKET

class Verifier {
  readonly problems = new Problems()
  private readonly words: Int32Array
  private readonly heap: HeapAudit
  private eviction: EvictionAudit | undefined
  private liveEntries = 0
  private readonly labelTables: { readonly at: number; readonly words: number; readonly stride: number }[] = []
  private segments = 0

  constructor(private readonly region: Region) {
    this.words = region.words
    this.heap = new HeapAudit(region, this.problems)
  }

  *run(): Job<void> {
    this.verifyAtRest()
    yield* this.heap.readPages()
    this.eviction = new EvictionAudit(this.region, this.heap, this.problems)
    yield* this.eviction.readArea()
    new ShapeAudit(this.region, this.heap, this.problems).run()
    this.verifyLabelTables()
    yield* this.verifyDirectory()
    this.verifyFeed()
    this.claimDepartures()
    const size = sumOfSizeDeltas(this.words)
    if (size !== this.liveEntries) this.problems.add(`size is ${size}, but ${this.liveEntries} entries are live`)
    yield* this.heap.finish()
  }

  private verifyAtRest(): void {
    if (this.words[HEADER_DIRECTORY_MUTEX] !== 0) this.problems.add('the directory mutex is taken')
    if (this.words[HEADER_HEAP_MUTEX] !== 0) this.problems.add('the heap mutex is taken')
    for (let index = 0; index < REGISTRY_THREADS; index++) {
      const claim = this.words[threadRecordAt(index) + THREAD_CLAIM]
      if (claim !== 0) this.problems.add(`thread record ${index} claims block ${claim}`)
    }
  }

  private verifyFeed(): void {
    const { words } = this
    if (words[HEADER_FEED] === 0) return
    const ring = feedRing(this.region)
    if (ring === 0) {
      this.problems.add(`block ${words[HEADER_FEED]} is no ring of the change feed`)
      return
    }
    this.heap.claim(ring / BLOCK_WORDS, feedBytes(words), 'ring of the change feed')
    if (words[HEADER_FEED_MUTEX] !== 0) this.problems.add('the mutex of the change feed is taken')
    const reserved = (words[HEADER_FEED_RESERVED] - words[HEADER_FEED_HEAD]) >>> 0
    if (reserved > feedBytes(words) / BLOCK_BYTES)
      this.problems.add('more of the change feed is reserved than there is')
  }

  private verifyLabelTables(): void {
    let isUsed = false
    for (let level = 0; level < LABEL_LEVELS; level++) {
      const table = this.words[HEADER_LABEL_TABLES + level]
      if (table === 0) continue
      isUsed = true
      const bytes = labelTableBytes(level)
      if (!this.region.contains(table, bytes / 4)) {
        this.problems.add(`label table ${level} is block ${table}, which leads out of the region`)
      } else if (this.heap.claim(table, bytes, 'label table')) {
        this.labelTables.push({ at: table * BLOCK_WORDS, words: bytes / 4, stride: level === 0 ? 1 : LABEL_SLOT_WORDS })
      }
    }
    if (isUsed && (this.words[HEADER_FEATURES] & FEATURE_LABELS) === 0) {
      this.problems.add('there are label tables, but the header does not say so')
    }
  }

  /** Returns whether a word is the generation of a label. */
  private isGeneration(word: number): boolean {
    return this.labelTables.some(
      ({ at, words, stride }) => word >= at && word < at + words && (word - at) % stride === LABEL_GENERATION,
    )
  }

  private verifyLabels(segment: number, index: number, slot: number, block: number): void {
    const entry = block * BLOCK_WORDS
    const count = labelCountOf(this.words, entry)
    if (count === 0) return
    if (count > MAX_ENTRY_LABELS) this.report(segment, index, slot, `has ${count} labels`)
    const at = labelsAt(this.words, entry)
    for (let i = 0; i < count; i++) {
      const word = this.words[at + i * LABEL_WORDS] >>> 0
      if (!this.isGeneration(word)) this.report(segment, index, slot, `has a label whose generation is at word ${word}`)
    }
    if (this.words[segment * BLOCK_WORDS + SEGMENT_LABELLED] === 0) {
      this.report(segment, index, slot, `has ${count} labels, but the segment does not say so`)
    }
  }

  private *verifyDirectory(): Job<void> {
    const current = this.words[HEADER_DIRECTORY]
    const depth = this.claimDirectories(current)
    if (depth < 0) return
    const entries = current * BLOCK_WORDS + DIRECTORY_ENTRIES
    for (let index = 0; index < 2 ** depth && !this.problems.isFull;) {
      const segment = this.words[entries + index]
      if (!this.region.contains(segment, SEGMENT_WORDS)) {
        this.problems.add(`directory entry ${index} is ${segment}, no segment`)
        return
      }
      const covered = this.verifyCoverage(segment, depth, index)
      if (covered === 0) return
      for (let i = index; i < index + covered; i++) {
        if (this.words[entries + i] !== segment) this.problems.add(`directory entry ${i} should be segment ${segment}`)
      }
      this.segments++
      if (this.heap.claim(segment, SEGMENT_BYTES, 'segment')) this.verifySegment(segment)
      index += covered
      yield SEGMENT_WORK
    }
    if (this.words[HEADER_SEGMENT_COUNT] !== this.segments) {
      this.problems.add(
        `the header counts ${this.words[HEADER_SEGMENT_COUNT]} segments, the directory ${this.segments}`,
      )
    }
  }

  /** Claims what waits for all threads to look away. */
  private claimDepartures(): void {
    const { words, region } = this
    for (const list of [HEADER_GONE_SEGMENTS, HEADER_LEAVING_SEGMENTS]) {
      for (let segment = words[list]; segment !== 0; segment = words[segment * BLOCK_WORDS + SEGMENT_NEXT]) {
        if (!region.contains(segment, SEGMENT_WORDS)) this.problems.add(`block ${segment} is no segment that is gone`)
        if (!this.heap.claim(segment, SEGMENT_BYTES, 'segment that is gone')) return
        if (words[segment * BLOCK_WORDS + SEGMENT_MUTEX] !== 0) {
          this.problems.add(`the mutex of segment ${segment}, which is gone, is taken`)
        }
      }
    }
    for (const list of [HEADER_GONE_CHUNKS, HEADER_LEAVING_CHUNKS]) {
      for (let chunk = words[list]; chunk !== 0; chunk = words[chunk * BLOCK_WORDS + CHUNK_NEXT]) {
        const nodes = region.contains(chunk, 2) ? words[chunk * BLOCK_WORDS + CHUNK_NODES] : 0
        if (!this.heap.claimPages(chunk, ((nodes + 1) * NODE_BYTES) / PAGE_BYTES, 'node chunk that is gone')) return
      }
    }
  }

  /**
   * Claims the current array and the arrays that it replaced; returns the current depth, or -1 if it cannot be
   * followed.
   */
  private claimDirectories(current: number): number {
    let newest = -1
    let deeper = MAX_DEPTH + 1
    for (let directory = current; directory !== 0;) {
      const at = directory * BLOCK_WORDS
      const isInside = this.region.contains(directory, DIRECTORY_ENTRIES)
      const depth = isInside ? this.words[at + DIRECTORY_DEPTH] : -1
      if (depth < 0 || depth >= deeper || !this.region.contains(directory, directoryBytes(depth) / 4)) {
        this.problems.add(`block ${directory} is no directory array of a depth below ${deeper}`)
        return newest
      }
      this.heap.claim(directory, directoryBytes(depth), 'directory array')
      if (newest < 0) newest = depth
      deeper = depth
      directory = this.words[at + DIRECTORY_PREVIOUS]
    }
    return newest
  }

  /**
   * Checks depth and prefix of the segment at a directory index; returns how many entries it must fill, 0 if its header
   * makes no sense.
   */
  private verifyCoverage(segment: number, directoryDepth: number, index: number): number {
    const depth = this.words[segment * BLOCK_WORDS + SEGMENT_DEPTH]
    const prefix = this.words[segment * BLOCK_WORDS + SEGMENT_PREFIX]
    if (depth < 0 || depth > directoryDepth) {
      this.problems.add(`segment ${segment} has depth ${depth} below a directory of depth ${directoryDepth}`)
      return 0
    }
    const covered = 2 ** (directoryDepth - depth)
    const isAligned = index % covered === 0
    const isPrefix = topBits(prefix, directoryDepth) === index && (depth === 0 ? prefix : prefix << depth) === 0
    if (!isAligned || !isPrefix) {
      this.problems.add(`segment ${segment} of depth ${depth}, prefix ${prefix >>> 0} is directory entry ${index}`)
      return 0
    }
    return covered
  }

  private verifySegment(segment: number): void {
    const at = segment * BLOCK_WORDS
    if (this.words[at + SEGMENT_MUTEX] !== 0) this.problems.add(`segment ${segment}: its mutex is taken`)
    if ((this.words[at + SEGMENT_MOVES] & 1) !== 0) this.problems.add(`segment ${segment}: keys are moving`)
    const inNeighbour = new Int32Array(HOME_BUCKETS)
    const inStash = new Int32Array(HOME_BUCKETS)
    const byHash = new Map<number, number[]>()
    let tombstones = 0
    for (let index = 0; index < ALL_BUCKETS; index++) {
      const bucket = bucketAt(segment, index)
      if ((this.words[bucket + BUCKET_VERSION] & 1) !== 0) this.report(segment, index, -1, 'is held')
      for (let slot = 0; slot < SLOTS_PER_BUCKET; slot++) {
        const reference = loadSlot(this.words, bucket, slot)
        const tag = loadTag(this.words, bucket, slot)
        if (reference <= 0 && tag !== 0) this.report(segment, index, slot, `has tag ${tag}, but no live key`)
        if (reference < 0) tombstones++
        if (reference === 0 || !this.claimEntry(segment, index, slot, reference & ~TOMBSTONE_BIT)) continue
        if (reference < 0) continue
        if (!isLease(this.words, reference)) {
          this.liveEntries++
          const entry = reference * BLOCK_WORDS
          this.eviction?.claim(reference, this.words[entry + ENTRY_NODE], this.words[entry + ENTRY_HASH])
        }
        const home = this.verifyLive(segment, index, slot, reference, tag, byHash)
        if (home !== index) (index < HOME_BUCKETS ? inNeighbour : inStash)[home]++
      }
    }
    for (let home = 0; home < HOME_BUCKETS; home++) {
      const overflow = loadOverflow(this.words, bucketAt(segment, home))
      const isNeighbourShort = neighbourCount(overflow) < Math.min(inNeighbour[home], NEIGHBOUR_MASK)
      const isStashShort = stashCount(overflow) < Math.min(inStash[home], STASH_SATURATED)
      if (isNeighbourShort || isStashShort) {
        this.report(segment, home, -1, `has overflow mark ${overflow} for ${inNeighbour[home]}, ${inStash[home]} keys`)
      }
    }
    const counted = tombstonesOf(this.words, segment)
    if (counted !== tombstones) this.problems.add(`segment ${segment}: ${tombstones} tombstones, ${counted} counted`)
  }

  /**
   * Claims the entry's block before reading it: so no byte is read twice, and the walk is bounded by the region's size.
   */
  private claimEntry(segment: number, index: number, slot: number, block: number): boolean {
    if (!isInside(this.region, block)) {
      this.report(segment, index, slot, `refers to block ${block}, which leads out of the region`)
      return false
    }
    if (!this.heap.claim(block, sizeOf(this.words, block * BLOCK_WORDS), 'entry')) return false
    const problems = problemsOfEntry(this.region, block)
    for (const problem of problems) this.report(segment, index, slot, `refers to block ${block}, which ${problem}`)
    return problems.length === 0
  }

  /** Checks that a live entry is where a lookup finds it; returns its home. */
  private verifyLive(
    segment: number,
    index: number,
    slot: number,
    block: number,
    tag: number,
    byHash: Map<number, number[]>,
  ): number {
    const hash = hashOf(this.region, block)
    const home = homeOf(hash)
    const depth = this.words[segment * BLOCK_WORDS + SEGMENT_DEPTH]
    if (topBits(hash, depth) !== topBits(this.words[segment * BLOCK_WORDS + SEGMENT_PREFIX], depth)) {
      this.report(segment, index, slot, `holds hash ${hash >>> 0}, which belongs to another segment`)
    }
    if (index < HOME_BUCKETS && index !== home && index !== neighbourOf(home)) {
      this.report(segment, index, slot, `holds a key of home ${home}`)
    }
    if (tag !== tagOf(hash)) this.report(segment, index, slot, `has tag ${tag}, expected ${tagOf(hash)}`)
    const bucket = bucketAt(segment, home)
    const limit = (this.words[bucket + BUCKET_EPOCH] >>> 0) * 2 ** 31 + (this.words[bucket + BUCKET_VERSION] >>> 1)
    const version = versionOf(this.words, block * BLOCK_WORDS)
    if (version > limit) this.report(segment, index, slot, `holds version ${version}, newer than its home's ${limit}`)
    this.verifyLabels(segment, index, slot, block)
    const tick = expiryTick(wasToBeKeptUntil(this.words, block * BLOCK_WORDS))
    const hint = this.words[segment * BLOCK_WORDS + SEGMENT_EXPIRY] >>> 0
    if (tick !== 0 && (hint === 0 || hint > tick)) {
      this.report(segment, index, slot, `expires at tick ${tick}, but the segment's hint is ${hint}`)
    }
    const others = byHash.get(hash) ?? []
    if (others.some((other) => sameKey(this.words, other, block))) this.report(segment, index, slot, 'repeats a key')
    byHash.set(hash, [...others, block])
    return home
  }

  private report(segment: number, bucket: number, slot: number, problem: string): void {
    const where = slot < 0 ? `bucket ${bucket}` : `bucket ${bucket} slot ${slot}`
    this.problems.add(`segment ${segment} ${where} ${problem}`)
  }
}
