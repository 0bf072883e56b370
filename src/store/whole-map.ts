/** Operations on all entries of a map. The public classes document them. */
import type { Job } from '../base/slices.js'
import { refusePromise } from '../base/promises.js'
import { ownKey, type Key } from '../format/key.js'
import {
  DONE,
  HASH_END,
  NO_LIMIT,
  RESULT_EXPIRES_AT,
  RESULT_LENGTH,
  RESULT_STATUS,
  type RepairReport,
} from '../engine/engine.js'
import { ALL_BUCKETS, SLOTS_PER_BUCKET } from '../format/layout.js'
import { engineError } from '../engine/engine-error.js'
import { keyBatches } from './map-keys.js'
import { deleteIf } from './read-modify-write.js'
import type { Store } from './store.js'

/** What a step over a segment counts for: as many entries as it has room for. */
const SEGMENT_WORK = ALL_BUCKETS * SLOTS_PER_BUCKET

const DECISION_AT_ONCE = 'expected true or false. Await what it takes before the call.'

/** Deletes every entry, one segment after the other. */
export function clear(store: Store<unknown>): void {
  const engine = store.openToWrite()
  engine.clear(0, NO_LIMIT)
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
}

/** Deletes every entry that is there when the job begins, a segment a step. */
export function* clearing(store: Store<unknown>): Job<void> {
  for (let from = 0; from < HASH_END;) {
    const engine = store.openToWrite()
    from = engine.clear(from, 1)
    if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
    yield SEGMENT_WORK
  }
}

/**
 * Deletes the entries for which `predicate` returns true, and returns their number. A step deals with one entry, or
 * collects the keys of a segment.
 */
export function* deletingWhere<V>(store: Store<V>, predicate: (value: V, key: Key) => unknown): Job<number> {
  let deleted = 0
  const decide = (value: V, key: Key): unknown => {
    const decision = predicate(value, ownKey(key))
    // A promise is true, whatever it brings.
    refusePromise(decision, 'ERR_MAPSAFE_OPTIONS', 'deleteWhere', DECISION_AT_ONCE)
    return decision
  }
  for (const batch of keyBatches(store)) {
    yield batch.length
    for (const key of batch) {
      if (deleteIf(store, key, (value) => decide(value, key), true)) deleted++
      yield 1
    }
  }
  return deleted
}

/** Does a job that only reads, until the map is closed: then its next step throws ERR_MAPSAFE_CLOSED. */
export function* whileOpen<T>(store: Store<unknown>, job: Job<T>): Job<T> {
  for (;;) {
    store.open()
    const step = job.next()
    if (step.done === true) return step.value
    yield step.value
  }
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
