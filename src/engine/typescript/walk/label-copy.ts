/** The generations of all labels at one instant, by which a snapshot tells what was invalidated then. */
import { labelCountOf, labelsAt } from '../../../format/entry.js'
import { labelTableBytes } from '../../../format/labels.js'
import {
  BLOCK_WORDS,
  HEADER_INVALIDATIONS,
  HEADER_LABEL_TABLES,
  LABEL_GENERATION,
  LABEL_LEVELS,
  LABEL_SLOT_WORDS,
  LABEL_WORDS,
} from '../../../format/layout.js'
import type { Region } from '../../../format/region.js'

/**
 * Times that the copy is made anew because something was invalidated meanwhile. After that many, invalidations come faster
 * than memory can be copied; then each label alone is of one instant.
 */
const MAX_COPIES = 64

interface Table {
  readonly at: number
  /** Words from one generation to the next. */
  readonly stride: number
  readonly generations: Int32Array
}

/** Thread safety: one thread; others may invalidate meanwhile. */
export class LabelCopy {
  private tables: Table[] = []

  /** Copies the generations as they are at one instant between begin and end of the call. O(slots of the tables). */
  take(region: Region): void {
    const { words } = region
    for (let copies = 0; copies < MAX_COPIES; copies++) {
      // An invalidation counts itself before it raises a generation. So if, of two that follow each other, the later was
      // met without the earlier, the later one's count has come after this load.
      const before = Atomics.load(words, HEADER_INVALIDATIONS)
      this.tables = []
      for (let level = 0; level < LABEL_LEVELS; level++) {
        const block = Atomics.load(words, HEADER_LABEL_TABLES + level)
        const length = labelTableBytes(level) / 4
        if (block === 0 || !region.contains(block, length)) continue
        const stride = level === 0 ? 1 : LABEL_SLOT_WORDS
        const at = block * BLOCK_WORDS
        const generations = new Int32Array(length / stride)
        for (let i = 0; i < generations.length; i++) {
          generations[i] = Atomics.load(words, at + i * stride + LABEL_GENERATION)
        }
        this.tables.push({ at, stride, generations })
      }
      if (Atomics.load(words, HEADER_INVALIDATIONS) === before) return
    }
  }

  /** Whether there are labels at all. */
  get isUsed(): boolean {
    return this.tables.length > 0
  }

  /** Returns whether one of the labels of the copied entry at word `at` had been invalidated. */
  isInvalidated(copy: Int32Array, at: number): boolean {
    let pair = labelsAt(copy, at)
    for (let left = labelCountOf(copy, at); left > 0; left--, pair += LABEL_WORDS) {
      if (!this.isCurrent(copy[pair] >>> 0, copy[pair + 1])) return true
    }
    return false
  }

  private isCurrent(word: number, generation: number): boolean {
    for (const { at, stride, generations } of this.tables) {
      const slot = Math.floor((word - at) / stride)
      if (slot >= 0 && slot < generations.length) return generations[slot] === generation
    }
    return false
  }
}
