/**
 * Labels of entries, which the interface calls tags: what one call invalidates for all entries that have it. See
 * docs/internals/protocol.md, "Labels".
 *
 * An entry notes each of its labels as a pair: the index of the word that holds the label's generation, and the generation
 * that it had before the value was made. The entry counts as expired once one of these words holds another number.
 *
 * Thread safety: any thread.
 */
import { labelCountOf, labelsAt } from './entry.js'
import {
  BLOCK_WORDS,
  FIRST_LABEL_TABLE_BYTES,
  HEADER_INVALIDATIONS,
  LABEL_RETIRED,
  LABEL_WORDS,
  SEGMENT_LABELLED,
  SHARED_MARKS,
} from './layout.js'

/** Generation of a label that is raised no more: all its entries are invalid, and no new one gets it. */
const RETIRED = LABEL_RETIRED | 0

/** Labels in pairs, as entries hold them. */
export type Labels = readonly number[]

/**
 * Returns whether one of the labels of the entry at word `entry`, whose lengths must have been checked, was invalidated
 * since it was written. Like the header, reliable only once validated.
 *
 * @param count number of its labels, where its header does not say so yet
 */
export function isInvalidated(words: Int32Array, entry: number, count = labelCountOf(words, entry)): boolean {
  let at = labelsAt(words, entry)
  for (let left = count; left > 0; left--, at += LABEL_WORDS) {
    if (isOutdated(words, words[at] >>> 0, words[at + 1])) return true
  }
  return false
}

/**
 * Notes the present generations of the labels of the entry at word `entry`, which only this thread knows. One that is raised
 * no more is not noted: the entry is invalid then.
 */
export function noteGenerations(words: Int32Array, entry: number, count: number): void {
  let at = labelsAt(words, entry)
  for (let left = count; left > 0; left--, at += LABEL_WORDS) {
    const word = words[at] >>> 0
    const generation = word < words.length ? Atomics.load(words, word) : RETIRED
    if (generation !== RETIRED) words[at + 1] = generation
  }
}

/** Returns labels with their present generations. One that is raised no more stays as it was noted. */
export function notedAnew(words: Int32Array, labels: Labels): Labels {
  return labels.map((each, i) => {
    if (i % LABEL_WORDS === 0) return each
    const generation = Atomics.load(words, labels[i - 1])
    return generation === RETIRED ? each : generation
  })
}

/** The same for labels that were noted apart. */
export function areInvalidated(words: Int32Array, labels: Labels): boolean {
  for (let i = 0; i < labels.length; i += LABEL_WORDS) if (isOutdated(words, labels[i], labels[i + 1])) return true
  return false
}

function isOutdated(words: Int32Array, at: number, generation: number): boolean {
  return at >= words.length || Atomics.load(words, at) !== generation
}

/**
 * Notes that a segment has an entry with labels. Called by a writer that holds the bucket in which it is about to appear, so
 * that a thread that holds all buckets meets both or neither. 1 stands for a time before all invalidations.
 */
export function noteLabelled(words: Int32Array, segment: number): void {
  const word = segment * BLOCK_WORDS + SEGMENT_LABELLED
  if (Atomics.load(words, word) === 0) Atomics.compareExchange(words, word, 0, 1)
}

/** Returns the number of invalidations in the form in which segments note it: never 0. */
export function invalidationsNow(words: Int32Array): number {
  return Atomics.load(words, HEADER_INVALIDATIONS) | 1
}

/** Returns whether a segment may have entries that were invalidated since it was last looked at. */
export function mayHaveInvalidated(words: Int32Array, segment: number): boolean {
  const looked = Atomics.load(words, segment * BLOCK_WORDS + SEGMENT_LABELLED)
  return looked !== 0 && looked !== invalidationsNow(words)
}

/** Returns the bytes of a table of labels. */
export function labelTableBytes(level: number): number {
  return level === 0 ? SHARED_MARKS * 4 : FIRST_LABEL_TABLE_BYTES * 2 ** (level - 1)
}
