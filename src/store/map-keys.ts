import { decodeKey, type Key } from '../format/key.js'
import {
  DONE,
  HASH_END,
  KEY_RECORD_WORDS,
  NO_LIMIT,
  RESULT_LENGTH,
  RESULT_STATUS,
  type Engine,
} from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import { lackedRoom } from './room.js'
import type { Store } from './store.js'

const HEAD_BYTES = KEY_RECORD_WORDS * 4

/**
 * Yields the keys of a map in hash order, in batches: each key that is there throughout exactly once, weakly consistent
 * otherwise. A batch is decoded at once, and nothing shared is held between two batches, so the map may be used freely
 * meanwhile.
 */
export function* keyBatches<V>(store: Store<V>): Generator<Key[], void, undefined> {
  for (let from = 0; from < HASH_END;) {
    const { keys, next } = keyBatch(store.open(), from, HASH_END, NO_LIMIT)
    from = next
    yield keys
  }
}

/**
 * Returns the keys with the first hashes from `fromHash` to below `endHash`, of one segment at most. Stops after the
 * hash that brings their number to `limit`. O(segment).
 *
 * @returns the keys, and the hash to go on from: `endHash` at the end
 */
export function keyBatch(
  engine: Engine,
  fromHash: number,
  endHash: number,
  limit: number,
): { readonly keys: Key[]; readonly next: number } {
  let next: number
  do next = engine.collect(fromHash, endHash, limit)
  while (lackedRoom(engine))
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
  return { keys: decodeKeys(engine), next }
}

function decodeKeys(engine: Engine): Key[] {
  const { scratch } = engine
  const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)
  const keys: Key[] = []
  let at = 0
  for (let left = engine.result[RESULT_LENGTH]; left > 0; left--) {
    const kind = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    keys.push(decodeKey(kind, scratch, at + HEAD_BYTES, length))
    at += HEAD_BYTES + ((length + 3) & ~3)
  }
  return keys
}
