import {
  DONE,
  ENCODED,
  FOUND,
  PUT_IF_VERSION,
  PUT_QUIETLY,
  RESULT_EXPIRES_AT,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_STATUS,
  RESULT_VERSION_HIGH,
  RESULT_VERSION_LOW,
  type Engine,
} from '../engine/engine.js'
import type { Key } from '../format/key.js'
import type { Labels } from '../format/labels.js'
import { VALUE_LATIN1, VALUE_UTF16 } from '../format/layout.js'
import { giveLabels } from './give-labels.js'
import { slidingLife, type SlidingLife } from './lifetime.js'
import { isDeciding } from './reentry.js'
import { lackedRoom } from './room.js'

/** The part of a store that a renewal needs. */
interface Prolonging {
  /** Version of the entry that the last read found. */
  readonly version: number
  /** Its labels. */
  readonly lastLabels: Labels | undefined
  announceExpiry(life: SlidingLife): number
  endOf(life: SlidingLife): number
}

/**
 * Renews the life of the entry that the last read found, if no write came in between: the same entry is published again
 * with a later expiry, on condition of its version. So a renewal is a write like `touch`, and never brings back what a
 * reader saw expired (docs/internals/protocol.md, "Expiry").
 *
 * Leaves the engine's result as the read did, with the version and expiry of the renewed entry. Never throws: the read has
 * its value, whatever becomes of the renewal.
 */
export function prolong(store: Prolonging, engine: Engine, key: Key, slidingTtl: number): void {
  // A function that decides on a write may read, and must not write.
  if (isDeciding(engine)) return
  const { result } = engine
  const read = result.slice()
  const { version } = store
  // May sweep, and so comes before the entry is read again.
  const life = slidingLife(slidingTtl)
  store.announceExpiry(life)
  let value: unknown
  do value = engine.getPassing(key)
  while (lackedRoom(engine))
  let renewed: Int32Array | undefined
  let expiresAt = 0
  const status = result[RESULT_STATUS]
  if ((status === FOUND || status === ENCODED) && store.version === version) {
    const kind = result[RESULT_KIND] === VALUE_UTF16 ? VALUE_LATIN1 : result[RESULT_KIND]
    const operand = status === ENCODED ? result[RESULT_LENGTH] >>> 0 : value
    expiresAt = store.endOf(life)
    giveLabels(engine, store.lastLabels)
    engine.put(key, kind, operand, PUT_IF_VERSION | PUT_QUIETLY, version, expiresAt, -slidingTtl)
    if (result[RESULT_STATUS] === DONE) renewed = result.slice()
  }
  result.set(read)
  if (renewed === undefined) return
  result[RESULT_VERSION_LOW] = renewed[RESULT_VERSION_LOW]
  result[RESULT_VERSION_HIGH] = renewed[RESULT_VERSION_HIGH]
  new Float64Array(result.buffer)[RESULT_EXPIRES_AT] = expiresAt
}
