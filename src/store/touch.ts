import type { Key } from '../format/key.js'
import {
  ABSENT,
  DONE,
  ENCODED,
  FOUND,
  NOT_DONE,
  PUT_IF_VERSION,
  RESULT_KIND,
  RESULT_LENGTH,
  RESULT_STATUS,
  SCRATCH_TOO_SMALL,
  type Engine,
} from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { VALUE_LATIN1, VALUE_UTF16 } from '../format/layout.js'
import type { Store } from './store.js'

/** Lost races before the key is held. */
const OPTIMISTIC_TRIES = 16

/** Gives the entry of `key` a new expiry, and so a new version; its value stays encoded. False if there is no entry. */
export function touch(store: Store<unknown>, key: Key, expiresAt?: number): boolean {
  const engine = store.openToWrite()
  store.hotKeys.note(key)
  const expiry = store.expiryOf(expiresAt)
  try {
    for (let tries = 0; ;) {
      const isHeld = tries >= OPTIMISTIC_TRIES
      const value = isHeld ? engine.hold(key) : engine.get(key)
      switch (engine.result[RESULT_STATUS]) {
        case ABSENT:
          return false
        case FOUND:
        case ENCODED:
          if (republish(store, engine, key, value, expiry, isHeld)) return true
          tries++
          break
        case SCRATCH_TOO_SMALL:
          engine.growScratch(engine.result[RESULT_LENGTH] >>> 0)
          break
        default:
          throw engineError(engine, key)
      }
    }
  } finally {
    engine.letGo()
  }
}

/** Stores what was just read under `key` with another expiry, unless it changed meanwhile. */
function republish(
  store: Store<unknown>,
  engine: Engine,
  key: Key,
  value: unknown,
  expiresAt: number,
  isHeld: boolean,
): boolean {
  const { result } = engine
  const read = result[RESULT_KIND]
  const kind = read === VALUE_UTF16 ? VALUE_LATIN1 : read
  const operand = result[RESULT_STATUS] === ENCODED ? result[RESULT_LENGTH] >>> 0 : value
  if (isHeld) engine.putHeld(key, kind, operand, expiresAt)
  else engine.put(key, kind, operand, PUT_IF_VERSION, store.version, expiresAt)
  const status = result[RESULT_STATUS]
  if (status === DONE) return true
  if (status === NOT_DONE) return false
  throw engineError(engine, key)
}
