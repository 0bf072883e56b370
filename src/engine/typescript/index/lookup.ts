import { KeyBuffer, type Key } from '../../../format/key.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  DIRECTORY_ENTRIES,
  ENTRY_DATA,
  ENTRY_HASH,
  ENTRY_NODE,
  HEADER_DIRECTORY,
  HEADER_SECRET_0,
  HEADER_SECRET_1,
  HOME_BUCKETS,
  KEY_KIND_SHIFT,
  STASH_BUCKETS,
} from '../../../format/layout.js'
import { lowestSlot, slotsWithTag } from './bucket.js'
import {
  bucketAt,
  homeOf,
  neighbourOf,
  tagOf,
  loadOverflow,
  loadSlot,
  neighbourCount,
  stashCount,
} from '../../../format/bucket.js'
import { depthOf, directoryBytes, SEGMENT_WORDS, topBits } from '../../../format/directory.js'
import { matches, NEVER } from '../../../format/entry.js'
import { hasExpired } from './expiry.js'
import { halfSipHash } from '../../../format/half-sip-hash.js'
import { WEAKLY_ORDERED, type Region } from '../../../format/region.js'
import type { ThreadRecord } from '../threads/thread-record.js'
import { expiryOf } from '../../../format/expiry.js'

/**
 * Finds keys, without a lock and without a store to memory that other threads read. See docs/internals/protocol.md,
 * "Read". One object is reused for all operations of an engine, so that a lookup allocates nothing; its fields hold the
 * result of the last call.
 *
 * The caller calls {@link Lookup.locate} and {@link Lookup.walk}, uses the result without trusting it, and then calls
 * {@link Lookup.unchanged}; after a miss also {@link Lookup.stillMaps}.
 */
export class Lookup {
  readonly key = new KeyBuffer()
  hash = 0

  /** Block number of the segment that {@link Lookup.locate} found. */
  segment = 0
  /** First word of the home bucket. */
  home = 0
  /** Version of the home bucket, noted before anything else was read from it. */
  homeVersion = 0

  /**
   * The place at which {@link Lookup.walk} met the key: first word of the bucket, and slot; -1 if it did not meet the
   * key.
   */
  bucket = 0
  slot = -1
  /** Block number of the entry; 0 if the walk did not meet one. */
  entry = 0
  /** When that entry expires, or NEVER; set by {@link Lookup.hasExpired}. */
  expiresAt = NEVER
  /** Whether the walk met a reference that leads out of the region. Races cannot cause that, so it is reliable. */
  isDamaged = false

  private readonly words: Int32Array
  private keyMeta = 0
  /** The node to look for in place of a key, or 0. */
  private node = 0
  private directory = 0
  private directoryDepth = 0
  private directoryEntry = 0
  // The buckets other than the home from which references were read, as block numbers, and their versions.
  private noted = 0
  private readonly notedBuckets = new Int32Array(1 + STASH_BUCKETS)
  private readonly notedVersions = new Int32Array(1 + STASH_BUCKETS)

  constructor(
    private readonly region: Region,
    private readonly thread: ThreadRecord,
  ) {
    this.words = region.words
  }

  /** Encodes and hashes the key to look up. Returns false if it is not a key; see {@link KeyBuffer.encode}. */
  setKey(key: Key): boolean {
    const buffer = this.key
    if (!buffer.encode(key)) return false
    const words = this.words
    this.node = 0
    this.keyMeta = buffer.length | (buffer.kind << KEY_KIND_SHIFT)
    this.hash = halfSipHash(
      words[HEADER_SECRET_0],
      words[HEADER_SECRET_1],
      buffer.words,
      (buffer.length + 3) >> 2,
      buffer.length | (buffer.kind << 28),
    )
    return true
  }

  /** Looks for the entry with a node of the cache's eviction, with any key. */
  seekNode(node: number, hash: number): void {
    this.node = node
    this.hash = hash
    this.keyMeta = 0 // which no key has
  }

  /**
   * Finds segment and home bucket by the hash, and notes the home's version. Returns false if the directory is damaged.
   */
  locate(): boolean {
    if (!this.locateSegment(this.hash)) return false
    this.noteHome()
    return true
  }

  /** Finds the segment of any hash. Returns false if the directory is damaged. */
  locateSegment(hash: number): boolean {
    const directory = Atomics.load(this.words, HEADER_DIRECTORY)
    if (directory !== this.directory && !this.enterDirectory(directory)) return false
    this.directoryEntry = directory * BLOCK_WORDS + DIRECTORY_ENTRIES + topBits(hash, this.directoryDepth)
    this.segment = Atomics.load(this.words, this.directoryEntry)
    return this.region.contains(this.segment, SEGMENT_WORDS)
  }

  /** Finds the home bucket in {@link Lookup.segment} and notes its version. */
  noteHome(): void {
    this.home = bucketAt(this.segment, homeOf(this.hash))
    this.homeVersion = Atomics.load(this.words, this.home + BUCKET_VERSION)
  }

  /**
   * Returns whether a lookup would reach the same segment again. Called after a bucket's version was loaded: a split
   * that was over by then has changed one of the two words, which this sees. Plain loads are enough, because the
   * version's load, or the fence of {@link Lookup.unchanged}, synchronizes with the thread that changed them.
   */
  stillMaps(): boolean {
    const words = this.words
    return words[HEADER_DIRECTORY] === this.directory && words[this.directoryEntry] === this.segment
  }

  /** Size of the next directory array after the one in use. */
  get nextDirectoryBytes(): number {
    return directoryBytes(this.directoryDepth + 1)
  }

  /** Looks for the key in home, neighbour and stash, in this order (see docs/internals/protocol.md, "Read", for why). */
  walk(): void {
    this.noted = 0
    this.slot = -1
    this.entry = 0
    this.isDamaged = false
    if (this.probe(this.home)) return
    const overflow = loadOverflow(this.words, this.home)
    if (overflow !== 0) this.walkSpilled(overflow)
  }

  /**
   * Returns whether the walk met an entry that has expired, and so counts as absent. Reliable only if the versions then
   * prove unchanged.
   */
  hasExpired(): boolean {
    this.expiresAt = this.slot < 0 ? NEVER : expiryOf(this.region, this.entry)
    return hasExpired(this.region, this.expiresAt)
  }

  /** Returns whether a thread held the home when it was located. */
  isHomeHeld(): boolean {
    return (this.homeVersion & 1) !== 0
  }

  /** Returns whether no bucket that the walk read from has changed since. */
  unchanged(): boolean {
    if (WEAKLY_ORDERED) this.thread.fence()
    return Atomics.load(this.words, this.home + BUCKET_VERSION) === this.homeVersion && this.othersAreAsNoted()
  }

  /** Returns the same as {@link Lookup.unchanged}, for the buckets other than the home. */
  othersUnchanged(): boolean {
    if (this.noted === 0) return true
    if (WEAKLY_ORDERED) this.thread.fence()
    return this.othersAreAsNoted()
  }

  private othersAreAsNoted(): boolean {
    const words = this.words
    for (let i = 0; i < this.noted; i++) {
      const bucket = this.notedBuckets[i] * BLOCK_WORDS
      if (Atomics.load(words, bucket + BUCKET_VERSION) !== this.notedVersions[i]) return false
    }
    return true
  }

  private walkSpilled(overflow: number): void {
    if (neighbourCount(overflow) > 0 && this.noteAndProbe(neighbourOf(homeOf(this.hash)))) return
    if (stashCount(overflow) === 0) return
    for (let index = HOME_BUCKETS; index < ALL_BUCKETS; index++) if (this.noteAndProbe(index)) return
  }

  private noteAndProbe(index: number): boolean {
    const bucket = bucketAt(this.segment, index)
    this.notedBuckets[this.noted] = bucket / BLOCK_WORDS
    this.notedVersions[this.noted] = Atomics.load(this.words, bucket + BUCKET_VERSION)
    this.noted++
    return this.probe(bucket)
  }

  private probe(bucket: number): boolean {
    const tag = tagOf(this.hash)
    for (let index = 0; index < 3; index++) {
      let candidates = slotsWithTag(this.words, bucket, index, tag)
      while (candidates !== 0) {
        const slot = index * 4 + lowestSlot(candidates)
        const reference = loadSlot(this.words, bucket, slot)
        if (reference > 0) {
          if (!this.region.contains(reference, ENTRY_DATA)) this.isDamaged = true
          else if (this.isSought(reference)) {
            this.bucket = bucket
            this.slot = slot
            this.entry = reference
            return true
          }
        }
        candidates &= candidates - 1
      }
    }
    return false
  }

  private isSought(block: number): boolean {
    if (matches(this.region, block, this.hash, this.keyMeta, this.key.words)) return true
    if (this.node === 0) return false
    const entry = block * BLOCK_WORDS
    return this.words[entry + ENTRY_HASH] === this.hash && this.words[entry + ENTRY_NODE] === this.node
  }

  /** Remembers a directory array, in which only the references to segments ever change. */
  private enterDirectory(directory: number): boolean {
    const depth = depthOf(this.region, directory)
    if (depth < 0) return false
    this.directory = directory
    this.directoryDepth = depth
    return true
  }
}
