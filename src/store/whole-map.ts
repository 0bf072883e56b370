/** Operations on all entries of a map. The public classes document them. */
import { SLICE_WORK, type Job } from '../base/slices.js'
import { refusePromise } from '../base/promises.js'
import { ownKey, type Key } from '../format/key.js'
import {
  DONE,
  HASH_END,
  NO_LIMIT,
  PUT_ALWAYS,
  RESULT_EXPIRES_AT,
  RESULT_LENGTH,
  RESULT_STATUS,
  type Engine,
  type RepairReport,
} from '../engine/engine.js'
import { ALL_BUCKETS, SLOTS_PER_BUCKET } from '../format/layout.js'
import { engineError } from '../engine/engine-error.js'
import { asOneCall } from '../engine/one-call.js'
import { keyBatches } from './map-keys.js'
import { DECISION_AT_ONCE, type KeyTest } from './key-choice.js'
import { deleteIf } from './read-modify-write.js'
import { deciding } from './reentry.js'
import type { Store } from './store.js'
import { remove } from './writes.js'

/** What a step over a segment counts for: as many entries as it has room for. */
const SEGMENT_WORK = ALL_BUCKETS * SLOTS_PER_BUCKET
/** What copying a piece of a snapshot counts for, of 1 MiB unless an entry is longer. */
const PIECE_WORK = 2048

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
      // One call, whose waits together last no longer than those of one operation may.
      const isGone = asOneCall(store.openToWrite(), () => deleteIf(store, key, (value) => decide(value, key), true))
      if (isGone) deleted++
      yield 1
    }
  }
  return deleted
}

/**
 * Deletes the entries whose keys are meant, whatever their values, and returns their number. Decodes no value. A step deals
 * with one key, or collects those of a segment.
 */
export function* deletingKeys(store: Store<unknown>, isMeant: KeyTest): Job<number> {
  let deleted = 0
  for (const batch of keyBatches(store)) {
    yield batch.length
    for (const key of batch) {
      const engine = store.openToWrite()
      if (deciding(engine, () => isMeant(key)) && asOneCall(engine, () => remove(store, key, PUT_ALWAYS))) deleted++
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

/** All entries as they were at one instant, in the form of {@link Engine.snapshot}. */
export interface Copied {
  readonly pieces: readonly Int32Array<ArrayBuffer>[]
  /** Number of entries, including those that had expired. */
  readonly size: number
  readonly instant: number
}

/** Copies all entries as they are at one instant; see {@link Engine.snapshot}. */
export function snapshot(store: Store<unknown>): Copied {
  // A snapshot is refused like a write: it waits for keys that a function deciding on a write may hold.
  const engine = store.openToWrite()
  const pieces = engine.snapshot()
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
  store.learnShapes()
  return { pieces, ...lastCopied(engine) }
}

/**
 * Copies as {@link snapshot} does: ahead in steps, then in one step what changed since, at one instant, and then over to
 * this thread's heap in steps.
 */
export function* snapshotting(store: Store<unknown>): Job<Copied> {
  const job = store.openToWrite().beginSnapshot()
  const pieces: Int32Array<ArrayBuffer>[] = []
  try {
    for (let isOver = false; !isOver;) {
      const engine = store.openToWrite()
      isOver = engine.copyAhead(job, 1)
      if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
      yield SEGMENT_WORK
    }
    yield SLICE_WORK // the next step has a slice of its own
    const engine = store.openToWrite()
    engine.finishSnapshot(job)
    if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
    const copied = lastCopied(engine)
    yield SLICE_WORK
    // An entry has no shape that was added after it.
    store.openToWrite()
    store.learnShapes()
    for (let piece = store.open().nextPiece(job); piece !== undefined; piece = store.open().nextPiece(job)) {
      if (piece.length > 0) pieces.push(piece)
      yield PIECE_WORK
    }
    return { pieces, ...copied }
  } finally {
    if (!store.isClosed) store.open().dropSnapshot(job)
  }
}

function lastCopied({ result }: Engine): Omit<Copied, 'pieces'> {
  return { size: result[RESULT_LENGTH] >>> 0, instant: new Float64Array(result.buffer)[RESULT_EXPIRES_AT] }
}

/** See {@link Engine.repair}. */
export function repair(store: Store<unknown>): RepairReport {
  const engine = store.openToWrite()
  const report = engine.repair()
  if (engine.result[RESULT_STATUS] !== DONE) throw engineError(engine)
  return report
}
