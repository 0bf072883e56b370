/**
 * Counters: entries whose number increments change in place. See docs/internals/protocol.md, "Increments".
 *
 * An entry published by an increment has two cells, each a number with its entry version; a bit of the meta word says
 * which is the current one. An increment writes the other cell and then turns the bit. That is one word, as a slot's
 * reference is, so that readers and takeovers meet either the old sum or the new one, whole.
 */
import {
  COUNTER_SECOND_VALUE,
  COUNTER_SECOND_VERSION,
  ENTRY_DATA,
  ENTRY_META,
  ENTRY_SECOND_CELL,
  ENTRY_VERSION,
} from '../../../format/layout.js'
import { isInSecondCell, keyLengthOf, VERSION_HIGH_MASK, wordsFor } from '../../../format/entry.js'
import { WEAKLY_ORDERED } from '../../../format/region.js'
import { halvesOf } from '../../../format/double.js'

/**
 * Makes `sum` the value of the counter at word `entry`, with the entry version given. The bucket of its slot and its
 * home must be held.
 *
 * A reader that began when the other cell was the current one, and meets one of its new words, meets the odd version,
 * too. Where stores may overtake each other, that takes atomic stores; elsewhere they would only make the hold longer.
 */
export function storeSum(words: Int32Array, entry: number, sum: number, versionLow: number, versionHigh: number): void {
  const meta = words[entry + ENTRY_META]
  const data = entry + ENTRY_DATA + wordsFor(keyLengthOf(meta))
  const isSecond = !isInSecondCell(meta)
  const value = isSecond ? data + COUNTER_SECOND_VALUE : data
  const version = isSecond ? data + COUNTER_SECOND_VERSION : entry + ENTRY_VERSION
  const halves = halvesOf(sum)
  storePair(words, value, halves[0], halves[1])
  const labels = isSecond ? 0 : words[version + 1] & ~VERSION_HIGH_MASK
  storePair(words, version, versionLow, versionHigh | labels)
  Atomics.store(words, entry + ENTRY_META, meta ^ ENTRY_SECOND_CELL)
}

function storePair(words: Int32Array, at: number, low: number, high: number): void {
  if (WEAKLY_ORDERED) {
    Atomics.store(words, at, low)
    Atomics.store(words, at + 1, high)
  } else {
    words[at] = low
    words[at + 1] = high
  }
}
