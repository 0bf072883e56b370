import { heapBlock, PAGE_TABLE_BLOCK } from '../../src/format/geometry.js'
import {
  ALL_BUCKETS,
  BLOCK_WORDS,
  BUCKET_SLOTS,
  BUCKET_WORDS,
  BYTE_ORDER_MARK,
  DIRECTORY_ENTRIES,
  HEADER_DIRECTORY,
  MAGIC,
  PAGE_ENTRY_WORDS,
  PAGE_FREE_HEAD,
  REGISTRY_BLOCK,
  SEGMENT_BUCKETS,
  SIZE_CLASSES,
  SLOTS_PER_BUCKET,
  THREAD_FREE_HEADS,
  THREAD_WORDS,
} from '../../src/format/layout.js'
import type { Random } from '../support/random.js'

const TOMBSTONE = 0x80000000 | 0
const PAGES = 256
/** Values that mean something somewhere in the format. */
const TELLING = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 10, 11, 23, 24, 25, 31, 32, 33, 63, 64, 65, 68, 79, 80, 127, 128, 255, 256, 257],
  ...[2047, 2048, 4095, 4096, 0x7fff, 0xffff, 0x10000, 0xfffff, 0x100000, 0x3fffffff, 0x40000000, 0x7fffffff],
  ...[-1, -2, -65_536, TOMBSTONE, MAGIC, BYTE_ORDER_MARK],
]

/** Damages a region, one word at a time, where it may matter. The counterpart of native/fuzz/damage_fuzz.cc. */
export class Damage {
  constructor(
    private readonly words: Int32Array,
    private readonly random: Random,
  ) {}

  /** Changes one word, in a structure and in a way chosen at random. */
  strike(): void {
    const at = this.aim()
    if (at >= 0 && at < this.words.length) this.words[at] = this.changed(this.words[at])
  }

  private changed(word: number): number {
    const { random } = this
    switch (random.below(5)) {
      case 0:
        return word ^ (1 << random.below(32))
      case 1:
        return random.below(2 ** 32) | 0
      case 2:
        return word + random.below(17) - 8
      case 3:
        return random.pick(TELLING)
      default:
        return this.reference()
    }
  }

  private aim(): number {
    const { random } = this
    const record = REGISTRY_BLOCK * BLOCK_WORDS
    switch (random.below(11)) {
      case 0:
        return random.below(this.words.length)
      case 1:
        return random.below(300)
      case 2:
        return record + random.below(THREAD_WORDS)
      case 3:
        return PAGE_TABLE_BLOCK * BLOCK_WORDS + random.below(PAGES * PAGE_ENTRY_WORDS)
      case 4:
        return this.words[HEADER_DIRECTORY] * BLOCK_WORDS + random.below(24)
      case 5:
        return this.segment() * BLOCK_WORDS + random.pick([0, 32, 33, 34, 48, 49, 50, 51])
      case 6:
        return this.segment() * BLOCK_WORDS + SEGMENT_BUCKETS + random.below(ALL_BUCKETS * BUCKET_WORDS)
      case 7:
        return this.at(record + THREAD_FREE_HEADS + random.below(SIZE_CLASSES)) * BLOCK_WORDS
      case 8:
        return this.at(this.descriptor() + PAGE_FREE_HEAD) * BLOCK_WORDS
      default:
        // Header, key and value: what is read most.
        return this.entry() * BLOCK_WORDS + random.below(random.chance(0.5) ? 6 : 40)
    }
  }

  /** A number that leads somewhere: to a structure, to within one, or just outside the region. */
  private reference(): number {
    const { random } = this
    const blocks = this.words.length / BLOCK_WORDS
    switch (random.below(10)) {
      case 0:
        return this.segment()
      case 1:
        return this.segment() + 1 + random.below(100)
      case 2:
        return this.words[HEADER_DIRECTORY]
      case 3:
        return this.entry()
      case 4:
        return this.entry() | TOMBSTONE
      case 5:
        return blocks - 2 + random.below(300)
      case 6:
        return random.below(PAGES + 1) // a page, plus one
      case 7:
        return heapBlock(this.words.byteLength) - 10 + random.below(300)
      case 8:
        return random.below(blocks)
      default:
        return -random.below(300)
    }
  }

  private descriptor(): number {
    return PAGE_TABLE_BLOCK * BLOCK_WORDS + this.random.below(PAGES) * PAGE_ENTRY_WORDS
  }

  /** A segment of the directory. */
  private segment(): number {
    return this.at(this.words[HEADER_DIRECTORY] * BLOCK_WORDS + DIRECTORY_ENTRIES + this.random.below(8))
  }

  /** An entry, or a tombstone, of a segment: the first from a slot chosen at random on. */
  private entry(): number {
    const buckets = this.segment() * BLOCK_WORDS + SEGMENT_BUCKETS
    const slots = ALL_BUCKETS * SLOTS_PER_BUCKET
    const first = this.random.below(slots)
    for (let i = 0; i < slots; i++) {
      const slot = (first + i) % slots
      const bucket = buckets + Math.floor(slot / SLOTS_PER_BUCKET) * BUCKET_WORDS
      const reference = this.at(bucket + BUCKET_SLOTS + (slot % SLOTS_PER_BUCKET))
      if (reference !== 0) return reference & ~TOMBSTONE
    }
    return 0
  }

  private at(word: number): number {
    return word >= 0 && word < this.words.length ? this.words[word] : 0
  }
}
