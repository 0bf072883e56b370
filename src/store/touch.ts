import type { Key } from '../format/key.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FOUND,
  FULL,
  NOT_DONE,
  PUT_IF_VERSION,
  PUT_QUIETLY,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_STATUS,
  type Engine,
} from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { VALUE_LATIN1, VALUE_UTF16 } from '../format/layout.js'
import type { Lifetime } from './lifetime.js'
import { lackedRoom } from './room.js'
import { giveLabels } from './give-labels.js'
import type { Store } from './store.js'
import { LOST, untilWritten } from './until-written.js'

/**
 * Gives the entry of `key` a new expiry, and so a new version; its value stays encoded. Returns false if there is no
 * entry.
 */
export function touch(store: Store<unknown>, key: Key, lifetime?: Lifetime): boolean {
  const engine = store.openToWrite()
  store.hotKeys.note(key)
  const expiry = store.announceExpiry(lifetime)
  const slide = store.slideOf(lifetime)
  return untilWritten(store, key, (isHeld) => {
    let value: unknown
    do value = isHeld ? engine.hold(key) : engine.get(key)
    while (lackedRoom(engine))
    switch (engine.result[RESULT_STATUS]) {
      case ABSENT:
        return false
      case FOUND:
      case ENCODED:
        return republish(store, engine, key, value, expiry, slide, isHeld) || LOST
      default:
        throw engineError(engine, key)
    }
  })
}

/** Stores the value just read from `key`, with its labels, but another expiry, unless the entry changed meanwhile. */
function republish(
  store: Store<unknown>,
  engine: Engine,
  key: Key,
  value: unknown,
  expiresAt: number,
  slide: number,
  isHeld: boolean,
): boolean {
  const { result } = engine
  const read = result[RESULT_KIND]
  const { lastLabels } = store
  const { version } = store
  const kind = read === VALUE_UTF16 ? VALUE_LATIN1 : read
  const operand = result[RESULT_STATUS] === ENCODED ? result[RESULT_LENGTH] >>> 0 : value
  giveLabels(engine, lastLabels)
  if (isHeld) engine.putHeld(key, kind, operand, expiresAt, slide)
  if (!isHeld || result[RESULT_STATUS] === FULL) {
    giveLabels(engine, lastLabels)
    engine.put(key, kind, operand, PUT_IF_VERSION | PUT_QUIETLY, version, expiresAt, slide)
  }
  const status = result[RESULT_STATUS]
  if (status === DONE) return true
  if (status === NOT_DONE) return false
  throw engineError(engine, key)
}
