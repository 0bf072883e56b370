/**
 * A partition's memory of evicted keys: a set-associative table of hashes, each with the use-clock times of its last
 * use and of its eviction. See docs/internals/format.md, "Eviction".
 *
 * Thread safety: all methods need the partition's mutex.
 */
import {
  BLOCK_WORDS,
  GHOST_TICKS,
  GHOST_TAG,
  GHOST_WORDS,
  PARTITION_USE_CLOCK,
  PARTITION_GHOST_BUCKETS,
  PARTITION_GHOST_COUNTS,
  PARTITION_GHOSTS,
} from '../../../format/layout.js'
import { GHOST_BUCKET_WORDS } from '../../../format/ghosts.js'

/** A factor that spreads hashes over the buckets by bits other than those that chose the partition. */
const GOLDEN = 0x9e3779b1
/** The lowest bit of a mark is the class. */
const CLASS_MASK = 1
/** The tag of hash 0, since mark 0 is an empty place. */
const TAG_OF_ZERO = 2

/** Evicted from the cold queue without ever having been in the main one, or after it. */
export const GHOST_COLD = 0
export const GHOST_DEMOTED = 1

export class Ghosts {
  /** The place at which {@link Ghosts.find} met the ghost. */
  private at = 0

  /** @param partition first word of the partition */
  constructor(
    private readonly words: Int32Array,
    private readonly partition: number,
  ) {}

  /** Returns the number of ghosts of a class. */
  count(ghostClass: number): number {
    return this.words[this.partition + PARTITION_GHOST_COUNTS + ghostClass]
  }

  /** Returns whether there is a ghost of the hash; the getters below then describe it. */
  find(hash: number): boolean {
    const bucket = this.bucketOf(hash)
    if (bucket < 0) return false
    const mark = markOf(hash)
    for (let at = bucket; at < bucket + GHOST_BUCKET_WORDS; at += GHOST_WORDS) {
      if ((this.words[at + GHOST_TAG] & ~CLASS_MASK) === mark) {
        this.at = at
        return true
      }
    }
    return false
  }

  get ghostClass(): number {
    return this.words[this.at + GHOST_TAG] & CLASS_MASK
  }

  /** Ticks of the use clock since the last use. */
  get idle(): number {
    return this.ageOf(this.words[this.at + GHOST_TICKS])
  }

  /** Ticks of the use clock since the eviction. */
  get age(): number {
    return this.ageOf(this.words[this.at + GHOST_TICKS] >>> 16)
  }

  /** Forgets the ghost found. */
  remove(): void {
    this.words[this.partition + PARTITION_GHOST_COUNTS + this.ghostClass]--
    this.words[this.at + GHOST_TAG] = 0
  }

  /** Remembers an eviction; a bucket that is full forgets its oldest ghost for it. */
  add(hash: number, ghostClass: number, lastUse: number): void {
    const bucket = this.bucketOf(hash)
    if (bucket < 0) return
    const { words, partition } = this
    let oldest = bucket
    let oldestAge = 0
    for (let at = bucket; at < bucket + GHOST_BUCKET_WORDS; at += GHOST_WORDS) {
      if (words[at + GHOST_TAG] === 0) {
        oldest = at
        break
      }
      const age = this.ageOf(words[at + GHOST_TICKS] >>> 16)
      if (age <= oldestAge) continue
      oldest = at
      oldestAge = age
    }
    const replaced = words[oldest + GHOST_TAG]
    if (replaced !== 0) words[partition + PARTITION_GHOST_COUNTS + (replaced & CLASS_MASK)]--
    words[oldest + GHOST_TAG] = markOf(hash) | ghostClass
    words[oldest + GHOST_TICKS] = (lastUse & 0xffff) | (words[partition + PARTITION_USE_CLOCK] << 16)
    words[partition + PARTITION_GHOST_COUNTS + ghostClass]++
  }

  /** Counts the ghosts of the table again. O(ghosts). */
  recount(): void {
    const { words, partition } = this
    const counts = [0, 0]
    const first = words[partition + PARTITION_GHOSTS] * BLOCK_WORDS
    const end = first + words[partition + PARTITION_GHOST_BUCKETS] * GHOST_BUCKET_WORDS
    if (first > 0 && end <= words.length) {
      for (let at = first; at < end; at += GHOST_WORDS) {
        const mark = words[at + GHOST_TAG]
        if (mark !== 0) counts[mark & CLASS_MASK]++
      }
    }
    words.set(counts, partition + PARTITION_GHOST_COUNTS)
  }

  private ageOf(epoch: number): number {
    return (this.words[this.partition + PARTITION_USE_CLOCK] - epoch) & 0xffff
  }

  /** Returns the first word of the bucket of a hash; -1 if there is no table. */
  private bucketOf(hash: number): number {
    const buckets = this.words[this.partition + PARTITION_GHOST_BUCKETS]
    if (buckets === 0) return -1
    const index = Math.floor(((Math.imul(hash, GOLDEN) >>> 0) * buckets) / 2 ** 32)
    return this.words[this.partition + PARTITION_GHOSTS] * BLOCK_WORDS + index * GHOST_BUCKET_WORDS
  }
}

const markOf = (hash: number): number => hash & ~CLASS_MASK || TAG_OF_ZERO
