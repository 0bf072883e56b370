/**
 * The labels of a region, which the interface calls tags: where the generation of each lies. See
 * docs/internals/protocol.md, "Labels".
 *
 * A slot belongs to a label for ever. It is taken without a lock: each word of the label's digest is put into a word that
 * is 0. A thread passes over a slot only if a word in it differs from its own digest, and then that differs for ever; so all
 * threads that look for one label end at the same slot, and one that dies midway leaves a slot that the next finishes.
 *
 * Where the tables have no slot for a label, or there is no room for another table, it shares one of 1,024 marks with
 * others. An invalidation then takes away more than was asked for, which a cache may, and never less. A map may not: there,
 * a label without a slot of its own is an error.
 *
 * Thread safety: one thread; others fill the same tables meanwhile.
 */
import { CORRUPT, DONE, FULL, RESULT_STATUS, TIMEOUT, type Engine } from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { MapsafeError } from '../base/errors.js'
import { heapBlock, heapPages } from '../format/geometry.js'
import { digestOfLabelId, markOfLabelId } from '../format/label-ids.js'
import { labelTableBytes, type Labels } from '../format/labels.js'
import {
  BLOCK_WORDS,
  FLAG_CACHE,
  HEADER_FLAGS,
  HEADER_LABEL_TABLES,
  LABEL_DIGEST,
  LABEL_DIGEST_WORDS,
  LABEL_GENERATION,
  LABEL_LEVELS,
  LABEL_PROBES,
  LABEL_RETIRED,
  LABEL_SLOT_WORDS,
  LABEL_TABLE_PART,
  MAX_FEED_KEY_BYTES,
  PAGE_BYTES,
  SHARED_MARKS,
} from '../format/layout.js'
import { sha256 } from '../platform/digest.js'

/** Number of labels whose words a thread remembers. */
const MAX_KNOWN = 8192
/** Generation of a mark that is raised no more: all its entries are invalid, and no new one gets it. */
const RETIRED = LABEL_RETIRED | 0
/** The level of the marks that labels share. */
const SHARED = 0

/** The part of an engine that labels need. */
type LabelEngine = Pick<Engine, 'words' | 'result' | 'makeLabelTable' | 'invalidate'>

export class LabelIndex {
  /** The word of the generation of each label that has a slot of its own. */
  readonly #known = new Map<string, number>()

  /**
   * Returns the labels in the form that entries hold, with their present generations: to be called before the value of the
   * entry is made. Gives a new label its slot.
   *
   * @param names those of labels, which begin with a letter, or ids of labels (src/format/label-ids.ts)
   *
   * @throws MapsafeError `ERR_MAPSAFE_FULL` if there is no room for any table, or in a map no slot; `ERR_MAPSAFE_TIMEOUT`,
   * `ERR_MAPSAFE_CORRUPT`
   */
  pairsOf(engine: LabelEngine, names: readonly string[]): Labels {
    const pairs: number[] = []
    for (const name of names) {
      for (let generation = RETIRED; generation === RETIRED;) {
        const mark = markOfLabelId(name)
        const own = mark === undefined ? this.#ownWord(engine, name, true) : undefined
        // The mark is told by a word of the digest that an id does not have.
        const needsOwn = !isCache(engine.words) || digestOfLabelId(name) !== undefined
        if (own === undefined && mark === undefined && needsOwn) throw tooMany()
        const at = own ?? sharedWord(engine, mark ?? markOf(name), true)!
        generation = Atomics.load(engine.words, at)
        if (generation === RETIRED) this.#known.delete(name)
        else pairs.push(at, generation)
      }
    }
    return pairs
  }

  /** Makes every entry that has one of the labels invalid, for every thread and process. O(names). */
  invalidate(engine: LabelEngine, names: readonly string[]): void {
    for (const name of names) {
      const own = this.#ownWord(engine, name, false)
      const shared = sharedWord(engine, markOf(name), false)
      // A name too long for the change feed is told as none: whoever watches has missed something.
      engine.invalidate(name.length <= MAX_FEED_KEY_BYTES / 2 ? name : '', own ?? 0, shared ?? 0)
      if (engine.result[RESULT_STATUS] < 0) throw engineError(engine as Engine)
    }
  }

  /** Returns the word of a label that has a slot of its own, or with `takes` gets one now; undefined if it has none. */
  #ownWord(engine: LabelEngine, name: string, takes: boolean): number | undefined {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const digest = digestOf(name)
    for (let level = SHARED + 1; level < LABEL_LEVELS; level++) {
      const table = tableOf(engine, level, takes)
      if (table === undefined) return undefined
      const slots = labelTableBytes(level) / (LABEL_SLOT_WORDS * 4)
      const start = digest[0] >>> 0
      for (let probe = 0; probe < LABEL_PROBES; probe++) {
        const slot = table + ((start + probe) % slots) * LABEL_SLOT_WORDS
        const state = takes ? take(engine.words, slot, digest) : look(engine.words, slot, digest)
        if (state === OTHER) continue
        if (state === UNUSED) return undefined
        if (this.#known.size >= MAX_KNOWN) this.#known.clear()
        this.#known.set(name, slot + LABEL_GENERATION)
        return slot + LABEL_GENERATION
      }
    }
    return undefined
  }
}

/** A slot of another label, or of one that is not complete, or of this one. */
const OTHER = 0
const UNUSED = 1
const SAME = 2

function look(words: Int32Array, slot: number, digest: Int32Array): number {
  let isWhole = true
  for (let i = 0; i < LABEL_DIGEST_WORDS; i++) {
    const word = Atomics.load(words, slot + LABEL_DIGEST + i)
    if (word === 0) isWhole = false
    else if (word !== digest[i]) return OTHER
  }
  if (!isWhole) return UNUSED
  return Atomics.load(words, slot + LABEL_GENERATION) === RETIRED ? OTHER : SAME
}

/** Takes a slot, or finishes taking it; or finds that it belongs to another label. */
function take(words: Int32Array, slot: number, digest: Int32Array): number {
  for (let i = 0; i < LABEL_DIGEST_WORDS; i++) {
    const word = slot + LABEL_DIGEST + i
    const met = Atomics.load(words, word) || Atomics.compareExchange(words, word, 0, digest[i])
    if (met !== 0 && met !== digest[i]) return OTHER
  }
  return Atomics.load(words, slot + LABEL_GENERATION) === RETIRED ? OTHER : SAME
}

/** Returns the words of a label's digest, none of which is 0: 192 bits, so that no two labels have the same. */
function digestOf(name: string): Int32Array {
  const digest = digestOfLabelId(name) ?? sha256(name).subarray(0, LABEL_DIGEST_WORDS)
  return digest.map((word) => word || 1)
}

/** Returns the number of the mark that a label shares with others. */
function markOf(name: string): number {
  return sha256(name)[LABEL_DIGEST_WORDS] >>> 0
}

/** Returns the first word of the table of a level, or with `makes` makes it if the level may have one. */
function tableOf(engine: LabelEngine, level: number, makes: boolean): number | undefined {
  const { words, result } = engine
  const block = Atomics.load(words, HEADER_LABEL_TABLES + level)
  if (block !== 0) {
    const at = block * BLOCK_WORDS
    const isInside = block >= heapBlock(words.byteLength) && at + labelTableBytes(level) / 4 <= words.length
    if (!isInside) throw engineError(engine as Engine, undefined, CORRUPT)
    return at
  }
  if (!makes || !mayHave(words, level)) return undefined
  engine.makeLabelTable(level)
  const status = result[RESULT_STATUS]
  if (status === DONE) return tableOf(engine, level, false)
  if (level !== SHARED && isCache(words) && (status === FULL || status === TIMEOUT)) return undefined
  throw engineError(engine as Engine)
}

function isCache(words: Int32Array): boolean {
  return (words[HEADER_FLAGS] & FLAG_CACHE) !== 0
}

function tooMany(): MapsafeError {
  return new MapsafeError(
    'ERR_MAPSAFE_FULL',
    'The map cannot tell more namespaces apart: it keeps each prefix that was ever used. Use fewer namespaces, keys with a ' +
      'prefix and deleteWhere({ prefix }), or create the map with a larger maxBytes.',
  )
}

/** Returns whether the table of a level takes a small part of the heap, so that all together take an eighth at most. */
function mayHave(words: Int32Array, level: number): boolean {
  return level === SHARED || labelTableBytes(level) <= (heapPages(words.byteLength) * PAGE_BYTES) / LABEL_TABLE_PART
}

/** Returns the word of the mark that a label shares with others; undefined if no label shares any. */
function sharedWord(engine: LabelEngine, start: number, makes: boolean): number | undefined {
  const table = tableOf(engine, SHARED, makes)
  if (table === undefined) return undefined
  let word = table
  for (let probe = 0; probe < SHARED_MARKS; probe++) {
    word = table + ((start + probe) % SHARED_MARKS)
    if (Atomics.load(engine.words, word) !== RETIRED) break
  }
  return word
}
