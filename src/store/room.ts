import { makeRoom } from '../codec/scratch.js'
import { RESULT_LENGTH, RESULT_STATUS, SCRATCH_TOO_SMALL, type Engine } from '../engine/engine.js'

/**
 * Returns whether the last operation found that the scratch buffer is too small for the bytes it was to bring, and made
 * room for them: then the operation has to be repeated, and what it returned is of no use. An operation that brings
 * bytes is called as
 *
 *     do value = engine.get(key)
 *     while (lackedRoom(engine))
 *
 * The room that it asks for is that of one instant, so it may lack room again after another thread wrote.
 */
export function lackedRoom(engine: Engine): boolean {
  const { result } = engine
  if (result[RESULT_STATUS] !== SCRATCH_TOO_SMALL) return false
  makeRoom(engine, result[RESULT_LENGTH] >>> 0)
  return true
}
