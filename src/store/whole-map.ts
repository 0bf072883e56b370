/** Operations on all entries of a map. The public classes document them. */
import { DONE, RESULT_EXPIRES_AT, RESULT_LENGTH, RESULT_STATUS, type RepairReport } from '../engine/engine.js'
import { engineError } from '../engine/engine-error.js'
import type { Store } from './store.js'

/** Deletes every entry, one segment after the other. */
export function clear(store: Store<unknown>): void {
  const engine = store.openToWrite()
  engine.clear()
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
}

/** Copies all entries as they are at one instant; see {@link Engine.snapshot}. */
export function snapshot(store: Store<unknown>): {
  readonly pieces: readonly Int32Array<ArrayBuffer>[]
  readonly size: number
  readonly instant: number
} {
  // A snapshot is refused like a write: it waits for keys that a function deciding on a write may hold.
  const engine = store.openToWrite()
  const pieces = engine.snapshot()
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
  const instant = new Float64Array(engine.result.buffer)[RESULT_EXPIRES_AT]
  return { pieces, size: engine.result[RESULT_LENGTH] >>> 0, instant }
}

/** See {@link Engine.repair}. */
export function repair(store: Store<unknown>): RepairReport {
  const engine = store.openToWrite()
  const report = engine.repair()
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
  return report
}
