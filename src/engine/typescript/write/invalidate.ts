/** Making all entries with a label invalid at once. See docs/internals/protocol.md, "Labels" and "Change feed". */
import { isWatched } from '../../../format/feed.js'
import { BLOCK_WORDS, HEADER_FEED_MUTEX, HEADER_INVALIDATIONS, LABEL_RETIRED } from '../../../format/layout.js'
import { CORRUPT, DONE } from '../../engine.js'
import type { Core } from '../core.js'
import { tellLabel, wakeWatchers } from '../feed/tell.js'

/** Generation of a mark that is raised no more: all its entries are invalid, and no new one gets it. */
const RETIRED = LABEL_RETIRED | 0
/** Counts of one invalidation: before and after the generation is raised. Even, since a segment's note of them is odd. */
const COUNT = 2

/**
 * Raises the generations of the label whose name the core's lookup has, in its own word and in the one that it shares with
 * others (0: it has none), and tells those who watch the map.
 */
export function invalidate(core: Core, own: number, shared: number): void {
  const { words, thread, lookup } = core
  if (own >= words.length || shared >= words.length) {
    core.end(CORRUPT)
    return
  }
  // No bucket's block: it says that a change may not have been told yet.
  thread.claim(Math.floor(HEADER_FEED_MUTEX / BLOCK_WORDS))
  // Before: a copy of the generations that met a later invalidation without this one sees that it has to begin anew.
  // After: a segment that was looked at before the generation rose is looked at again.
  Atomics.add(words, HEADER_INVALIDATIONS, COUNT)
  if (own !== 0) raise(words, own)
  if (shared !== 0) raise(words, shared)
  Atomics.add(words, HEADER_INVALIDATIONS, COUNT)
  if (isWatched(words)) tellLabel(core, lookup.key, lookup.hash)
  thread.clearClaim()
  wakeWatchers(core)
  core.end(DONE)
}

/** Raises a generation, once; not beyond the last one, from which on nothing that has the label is valid. */
function raise(words: Int32Array, word: number): void {
  for (;;) {
    const generation = Atomics.load(words, word)
    if (
      generation === RETIRED ||
      Atomics.compareExchange(words, word, generation, (generation + 1) | 0) === generation
    ) {
      return
    }
  }
}
