/**
 * Reads a segment as a lookup does: without a lock, and trusting the result only once the versions show that nothing
 * changed meanwhile. The engines' iteration does the same for keys (docs/internals/protocol.md, "Iteration"); this one
 * stores to no word of the region, not even to a thread record, and does not wait for other threads, except to look
 * again.
 *
 * Thread safety: one thread; other threads may write meanwhile, and the bytes may be anything. Every reference is
 * checked before it is followed, every loop is bounded, and no more words of keys are copied than the caller allows.
 */
import { bucketAt, loadSlot, TOMBSTONE_BIT } from '../format/bucket.js'
import { depthOf, SEGMENT_WORDS, topBits } from '../format/directory.js'
import {
  isCounterSound,
  KEY_META_MASK,
  keyKindOf,
  keyLengthOf,
  labelCountOf,
  labelsAt,
  metaOf,
  sizeOf,
  valueAt,
  valueKindOf,
  valueLengthOf,
  versionOf,
  wordsFor,
} from '../format/entry.js'
import { expiryOf, staleUntil } from '../format/expiry.js'
import { fence } from '../format/fence.js'
import { decodeKey, type Key } from '../format/key.js'
import { isKeyLength, isKnownKind, isValueLength } from '../format/kinds.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_VERSION,
  DIRECTORY_ENTRIES,
  ENTRY_DATA,
  ENTRY_HASH,
  HEADER_DIRECTORY,
  LABEL_WORDS,
  MAX_DEPTH,
  SEGMENT_DEPTH,
  SEGMENT_MOVES,
  SEGMENT_PREFIX,
  SLOTS_PER_BUCKET,
} from '../format/layout.js'
import { WEAKLY_ORDERED, type Region } from '../format/region.js'
import { endOf, HASH_END } from '../format/segment.js'

/** Looks at a changing segment or bucket before a pause between two looks. */
const QUICK_LOOKS = 100
/** Most looks in all, most of them a millisecond apart. */
const MOST_LOOKS = 2000
const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** An entry as it was at an instant. */
export interface RawEntry {
  readonly hash: number
  readonly meta: number
  readonly key: Key
  readonly version: number
  /** Expiry by the region's time, or NEVER. */
  readonly expiresAt: number
  readonly staleUntil: number
  readonly keyLength: number
  readonly valueLength: number
  /** Bytes of header, key, value and trailer. */
  readonly bytes: number
  /** Whether the entry was deleted: its slot is a tombstone that was not cleaned up yet. */
  readonly isDeleted: boolean
  /** The words at which the generations of its labels lie. */
  readonly labels: readonly number[]
  /** The bytes of the value, and more up to a whole word; undefined unless they were asked for. */
  readonly value: Int32Array | undefined
}

/** What is read besides the live entries with their keys. */
export interface Extent {
  readonly values?: boolean | undefined
  readonly deleted?: boolean | undefined
}

/** The result of a look at one segment. */
export interface Collected {
  readonly entries: readonly RawEntry[]
  /** The first hash that was not looked at. */
  readonly end: number
  /** The problems of the entries that are missing. */
  readonly problems: readonly string[]
  /** Number of words of keys and values that were copied. */
  readonly words: number
}

/** Why a segment could not be read. */
export class Unreadable {
  /** @param end the hash to go on from */
  constructor(
    readonly problem: string,
    readonly end: number,
    /** Whether the reason is not damage, but writers that leave the segment no instant of rest. */
    readonly isBusy = false,
  ) {}
}

interface RawKey extends Omit<RawEntry, 'key'> {
  readonly words: Int32Array
}

/**
 * Reads the segment that covers hash `from`: its entries with hashes from there on, sorted by hash, each key once.
 *
 * @param most words of keys and values that may be copied
 */
export function collect(region: Region, from: number, most: number, extent: Extent = {}): Collected | Unreadable {
  const { words } = region
  let [busy, end] = [0, HASH_END]
  for (let look = 0; look < MOST_LOOKS; look++) {
    if (look >= QUICK_LOOKS) Atomics.wait(sleeper, 0, 0, 1)
    const directory = Atomics.load(words, HEADER_DIRECTORY)
    const depth = depthOf(region, directory)
    if (depth < 0) return new Unreadable(`block ${directory} is no directory array`, HASH_END)
    const at = directory * BLOCK_WORDS + DIRECTORY_ENTRIES + topBits(from | 0, depth)
    const segment = Atomics.load(words, at)
    const next = (topBits(from | 0, depth) + 1) * 2 ** (32 - depth)
    busy = segment
    end = next
    const isMapped = (): boolean =>
      Atomics.load(words, HEADER_DIRECTORY) === directory && Atomics.load(words, at) === segment
    if (!region.contains(segment, SEGMENT_WORDS)) {
      if (isMapped()) return new Unreadable(`a directory entry is ${segment}, no segment`, next)
      continue
    }
    const moves = Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_MOVES)
    const reader = new SegmentReader(region, segment, most, extent)
    const isRead = reader.covers(from, depth) && reader.readBuckets()
    if (reader.isBusy) break
    if (WEAKLY_ORDERED) fence()
    const isUndisturbed =
      Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_MOVES) === moves &&
      isMapped() &&
      ((moves & 1) === 0 || reader.isUnchanged())
    if (isUndisturbed && isRead) return reader.deliver(from, (moves & 1) !== 0)
    if (isUndisturbed) return new Unreadable(`segment ${segment} ${reader.problem}`, next)
  }
  return new Unreadable(`segment ${busy} changes so often that it could not be read`, end, true)
}

class SegmentReader {
  /** The reason why the segment cannot be read, as the end of a sentence. */
  problem = ''
  /** Whether the reason is only that other threads write so often. */
  isBusy = false
  private readonly words: Int32Array
  private found: RawKey[] = []
  private problems: string[] = []
  private copied = 0
  private end = 0
  /** Versions of the buckets when they were read. */
  private readonly versions = new Int32Array(ALL_BUCKETS)

  constructor(
    private readonly region: Region,
    private readonly segment: number,
    private readonly most: number,
    private readonly extent: Extent,
  ) {
    this.words = region.words
  }

  /** Returns whether the segment is for the keys with hash `from`, by a directory of that depth. */
  covers(from: number, directoryDepth: number): boolean {
    const at = this.segment * BLOCK_WORDS
    const depth = this.words[at + SEGMENT_DEPTH]
    const prefix = this.words[at + SEGMENT_PREFIX]
    this.end = endOf(this.words, this.segment)
    this.problem = `has depth ${depth} and prefix ${prefix >>> 0}, but is the directory's for hash ${from}`
    const isPossible = depth >= 0 && depth <= Math.min(directoryDepth, MAX_DEPTH) && this.end > from
    return isPossible && topBits(prefix, depth) === topBits(from | 0, depth)
  }

  readBuckets(): boolean {
    for (let index = 0; index < ALL_BUCKETS; index++) if (!this.readBucket(index)) return false
    return true
  }

  /**
   * Returns whether all buckets are as they were read, so that no key moved from a bucket still to be read to one
   * already read.
   */
  isUnchanged(): boolean {
    return this.versions.every((version, index) => version === this.versionOf(index))
  }

  /**
   * @param isInMotion whether a thread is moving keys: then keys that a split may have moved already are left to the
   * new segment, once the directory names that throughout
   */
  deliver(from: number, isInMotion: boolean): Collected {
    const last = isInMotion ? this.segmentOf(this.end - 1) : this.segment
    if (last !== this.segment)
      this.end = (this.words[this.segment * BLOCK_WORDS + SEGMENT_PREFIX] >>> 0) / 2 + this.end / 2
    const end = Math.max(this.end, from + 1)
    const sorted = this.found.filter(({ hash }) => hash >= from && hash < end).sort((a, b) => a.hash - b.hash)
    const kept: RawKey[] = []
    const deleted: RawKey[] = []
    for (const each of sorted) {
      if (each.isDeleted) {
        deleted.push(each)
        continue
      }
      // A key that is deleted and inserted again meanwhile, or moved, may be met in two buckets. The newest one stays.
      let same = kept.length - 1
      while (same >= 0 && kept[same].hash === each.hash && !isSameKey(kept[same], each)) same--
      if (same < 0 || kept[same].hash !== each.hash) kept.push(each)
      else if (each.version > kept[same].version) kept[same] = each
    }
    const entries = [...kept, ...deleted].map(withKey)
    return { entries, end, problems: this.problems, words: this.copied }
  }

  private segmentOf(hash: number): number {
    const directory = Atomics.load(this.words, HEADER_DIRECTORY)
    const depth = depthOf(this.region, directory)
    if (depth < 0) return this.segment
    return Atomics.load(this.words, directory * BLOCK_WORDS + DIRECTORY_ENTRIES + topBits(hash | 0, depth))
  }

  /** Adds the entries of one bucket, read without interference. */
  private readBucket(index: number): boolean {
    const { length } = this.found
    const { copied } = this
    const problemCount = this.problems.length
    for (let look = 0; look < MOST_LOOKS; look++) {
      if (look >= QUICK_LOOKS) Atomics.wait(sleeper, 0, 0, 1)
      const version = this.versionOf(index)
      this.versions[index] = version
      let hasRoom = true
      for (let slot = 0; slot < SLOTS_PER_BUCKET && hasRoom; slot++) {
        const reference = loadSlot(this.words, bucketAt(this.segment, index), slot)
        if (reference > 0) hasRoom = this.readEntry(index, slot, reference, false)
        else if (reference < 0 && this.extent.deleted === true) {
          hasRoom = this.readEntry(index, slot, reference & ~TOMBSTONE_BIT, true)
        }
      }
      if (WEAKLY_ORDERED) fence()
      if (this.versionOf(index) === version) {
        if (!hasRoom) this.problem = 'and others hold more than the region has room for: entries overlap'
        return hasRoom
      }
      this.found.length = length
      this.copied = copied
      this.problems.length = problemCount
    }
    this.isBusy = true
    return false
  }

  private versionOf(index: number): number {
    return Atomics.load(this.words, bucketAt(this.segment, index) + BUCKET_VERSION)
  }

  /** Copies one entry. Returns false if there is no room for it. */
  private readEntry(bucket: number, slot: number, block: number, isDeleted: boolean): boolean {
    const { words, region } = this
    const report = (problem: string): boolean => {
      // What is left of a deleted entry promises nothing.
      if (isDeleted) return true
      this.problems.push(
        `segment ${this.segment} bucket ${bucket} slot ${slot} refers to block ${block}, which ${problem}`,
      )
      return true
    }
    if (!region.contains(block, ENTRY_DATA)) return report('leads out of the region')
    const entry = block * BLOCK_WORDS
    const meta = metaOf(words, entry)
    const valueLength = valueLengthOf(words, entry)
    const bytes = sizeOf(words, entry)
    if (!region.contains(block, bytes / 4)) return report('leads out of the region')
    const keyLength = keyLengthOf(meta)
    const keyKind = keyKindOf(meta)
    const kind = valueKindOf(meta)
    if (!isKeyLength(keyKind, keyLength)) return report(`has a malformed key of kind ${keyKind} and ${keyLength} bytes`)
    if (!isCounterSound(meta)) return report('is a counter, but holds no number')
    if (isKnownKind(kind) && !isValueLength(kind, valueLength)) {
      return report(`has a malformed value of kind ${kind} and ${valueLength} bytes`)
    }
    const count = wordsFor(keyLength)
    const valueCount = this.extent.values === true ? wordsFor(valueLength) : 0
    this.copied += count + valueCount
    if (this.copied > this.most) return false
    const start = entry + ENTRY_DATA
    const labels = labelsAt(words, entry)
    const value = valueAt(entry, meta)
    this.found.push({
      hash: words[entry + ENTRY_HASH] >>> 0,
      meta,
      words: Int32Array.from({ length: count }, (_, i) => words[start + i]),
      version: versionOf(words, entry),
      expiresAt: expiryOf(region, block),
      staleUntil: staleUntil(region, block),
      keyLength,
      valueLength,
      bytes,
      isDeleted,
      labels: Array.from({ length: labelCountOf(words, entry) }, (_, i) => words[labels + i * LABEL_WORDS] >>> 0),
      value: this.extent.values === true ? words.slice(value, value + valueCount) : undefined,
    })
    return true
  }
}

function isSameKey(a: RawKey, b: RawKey): boolean {
  return ((a.meta ^ b.meta) & KEY_META_MASK) === 0 && a.words.every((word, i) => word === b.words[i])
}

function withKey({ words, ...rest }: RawKey): RawEntry {
  const bytes = new Uint8Array(words.buffer)
  return { ...rest, key: decodeKey(keyKindOf(rest.meta), bytes, 0, rest.keyLength) }
}
