import { decodeKey, type Key } from './codec/key.js'
import { DONE, RESULT_LENGTH, RESULT_STATUS, SCRATCH_TOO_SMALL, type Engine } from './engine/engine.js'
import { engineError } from './engine/engine-error.js'

const HASH_END = 2 ** 32

/**
 * The keys of a map in hash order, in batches: each key that is there throughout exactly once, weakly consistent otherwise. A
 * batch is decoded at once and nothing shared is held between two, so the map may be used freely meanwhile.
 *
 * @param open returns the map's engine, or throws if the map was closed
 */
export function* keyBatches(open: () => Engine): Generator<Key[], void, undefined> {
  let fromHash = 0
  while (fromHash < HASH_END) {
    const engine = open()
    const next = engine.collect(fromHash)
    const status = engine.result[RESULT_STATUS]
    if (status === SCRATCH_TOO_SMALL) {
      engine.growScratch(engine.result[RESULT_LENGTH] >>> 0)
      continue
    }
    if (status !== DONE) throw engineError(engine)
    fromHash = next
    yield decodeKeys(engine)
  }
}

function decodeKeys(engine: Engine): Key[] {
  const { scratch } = engine
  const view = new DataView(scratch.buffer, scratch.byteOffset, scratch.length)
  const keys: Key[] = []
  let at = 0
  for (let left = engine.result[RESULT_LENGTH]; left > 0; left--) {
    const kind = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    keys.push(decodeKey(kind, scratch, at + 8, length))
    at += 8 + ((length + 3) & ~3)
  }
  return keys
}
